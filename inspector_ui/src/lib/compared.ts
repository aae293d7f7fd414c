// Questions to a comparison of two runs. Pure.
import type { Comparison, StepComparison } from "../api/types";

/** How a step is marked: its verdict, or that it is the same in another place. */
export type Mark = StepComparison["verdict"] | "moved";

export const MARKS: Record<Mark, string> = {
  same: "same",
  reused: "reused",
  changed: "changed",
  moved: "moved",
  "only-a": "only in a",
  "only-b": "only in b",
};

/** A step's path in b, else in a: the one that it is opened by. */
export function pathOf(step: StepComparison): string {
  return step.b?.path ?? step.a?.path ?? "";
}

export function movedFrom(step: StepComparison): string | null {
  return step.a && step.b && step.a.path !== step.b.path ? step.a.path : null;
}

export function markOf(step: StepComparison): Mark {
  return step.verdict === "same" && movedFrom(step) !== null ? "moved" : step.verdict;
}

export function diverges(step: StepComparison): boolean {
  return step.verdict !== "same" && step.verdict !== "reused";
}

/** The path of the step that is open, as the list knows it. */
export function openedIn(comparison: Comparison): string {
  const opened = comparison.opened;
  return opened?.path_b ?? opened?.path_a ?? "";
}

/** The differing step after (or before) the open one; null at the end. */
export function nextDiffering(steps: readonly StepComparison[], from: string, back = false): string | null {
  const here = steps.findIndex((step) => pathOf(step) === from);
  const found = back
    ? steps.slice(0, Math.max(0, here)).findLast(diverges)
    : steps.slice(here + 1).find(diverges);
  return found ? pathOf(found) : null;
}

/** How many steps carry each mark, in the order of `MARKS`. */
export function countsOf(steps: readonly StepComparison[]): [Mark, number][] {
  const counts = new Map<Mark, number>();
  for (const step of steps) {
    counts.set(markOf(step), (counts.get(markOf(step)) ?? 0) + 1);
  }
  return (Object.keys(MARKS) as Mark[]).flatMap((mark) => {
    const count = counts.get(mark);
    return count ? [[mark, count] as [Mark, number]] : [];
  });
}
