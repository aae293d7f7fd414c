// A replay's plan in the words of the page: what runs, what is reused, why. Pure.
import type { PlannedStep, PlanView } from "../api/types";
import { plural } from "./format";

/** Items of one declared step that are dealt with alike. `path` is the only item's, or the declared one. */
export type PlanGroup = {
  key: string;
  path: string;
  count: number;
  kind: PlannedStep["kind"];
  action: PlannedStep["action"];
  why: string;
  sure: boolean;
};

export const ACTIONS: Record<PlannedStep["action"], string> = {
  execute: "runs",
  reuse: "reused",
  decide: "shown by running",
  leave: "left out",
  given: "set by hand",
};

const WHY: Record<string, string> = {
  edited: "edited",
  failed: "it failed",
  unfinished: "it had not finished",
  downstream: "follows what runs",
  changed: "its inputs change",
  new: "not recorded",
  drift: "has drifted",
  all: "everything runs",
  same: "same work",
  moved: "same work, elsewhere",
  carried: "made before",
  scope: "outside of the scope",
  effects: "has effects",
  "by-hand": "your output",
  depends: "depends on what runs",
};

export function whyText(why: string): string {
  return WHY[why] ?? why;
}

export function groupsOf(plan: PlanView): PlanGroup[] {
  const groups = new Map<string, PlanGroup>();
  for (const { path, static: declared, kind, action, why, sure } of plan.steps) {
    const key = [declared, action, why, sure].join("\n");
    const before = groups.get(key);
    groups.set(
      key,
      before ? { ...before, path: declared, count: before.count + 1 } : { key, path, count: 1, kind, action, why, sure },
    );
  }
  return [...groups.values()];
}

/** Steps that run, or whose output is set by hand; 0: the replay would be the same run again. */
export function changedSteps(plan: PlanView): number {
  return plan.steps.filter((step) => step.action !== "reuse" && step.action !== "leave").length;
}

export function runsText(plan: PlanView): string {
  const runs = plan.steps.filter((step) => step.action === "execute").length;
  return `Run ${plural(runs, "step")}`;
}

export function callsText(plan: PlanView): string {
  const { calls, calls_at_most: most } = plan;
  return most > calls ? `${calls} to ${plural(most, "call")}` : plural(calls, "call");
}
