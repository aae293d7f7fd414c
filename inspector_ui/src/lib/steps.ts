// Questions to a run's list of steps. Pure.
import type { RunView, StepRow } from "../api/types";

const ACTIVE = new Set(["queued", "running"]);

export function isActive(status: string): boolean {
  return ACTIVE.has(status);
}

/** A step's place in the declared chain: `outer/rewrite[3]@2` is `outer/rewrite`. */
export function staticPath(path: string): string {
  return path.replace(/\[\d+\]|@\d+/g, "");
}

/** The step a run opens at: the cause of its failure, else what runs, else the last one that made something. */
export function openAt(view: RunView): string {
  const by = (status: string): string | undefined => view.steps.find((step) => step.status === status)?.path;
  return (
    view.failed_path ?? by("failed") ?? by("interrupted") ?? by("cancelled") ?? by("running") ?? view.steps.at(-1)?.path ?? ""
  );
}

/** What a click on a declared step opens: its first instance that needs a look. */
export function instanceOf(steps: readonly StepRow[], declared: string): string {
  const instances = instancesOf(steps, declared);
  const wanted = ["failed", "interrupted", "running", "cancelled"];
  const found = wanted.map((status) => instances.find((step) => step.status === status)).find(Boolean) ?? instances[0];
  return found?.path ?? declared;
}

export function instancesOf(steps: readonly StepRow[], declared: string): StepRow[] {
  return steps.filter((step) => step.static === declared);
}

/** How deep a step stands: below sub-chains and holders. */
export function depth(step: StepRow, parents: ReadonlyMap<string, string | null>): number {
  let level = 0;
  for (let at = parents.get(step.static) ?? null; at !== null && level < 20; at = parents.get(at) ?? null) {
    level += 1;
  }
  return level;
}

/** The failed step after (or before) `from`, going round. */
export function nextFailed(steps: readonly StepRow[], from: string, back = false): string | null {
  const failed = steps.flatMap((step, i) => (step.status === "failed" ? [i] : []));
  const here = steps.findIndex((step) => step.path === from);
  const found = back
    ? (failed.findLast((i) => i < here) ?? failed.at(-1))
    : (failed.find((i) => i > here) ?? failed[0]);
  return found === undefined ? null : (steps[found]?.path ?? null);
}
