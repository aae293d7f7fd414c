import { expect, test } from "vitest";
import type { PlannedStep, PlanView } from "../api/types";
import { callsText, changedSteps, groupsOf, runsText, whyText } from "./plan";

function planned(path: string, action: PlannedStep["action"], why: string): PlannedStep {
  return { path, static: path.replace(/\[\d+\]/, ""), kind: "prompt", action, why, origin_run_id: null, origin_path: null, sure: true };
}

function plan(steps: PlannedStep[], part: Partial<PlanView> = {}): PlanView {
  return { steps, calls: 0, calls_at_most: 0, cost_nano: null, calls_left: 9, drift: [], unverifiable: [], notes: [], refused: null, ...part };
}

const mixed = plan([
  planned("extract", "reuse", "same"),
  planned("note[0]", "reuse", "same"),
  planned("note[1]", "execute", "edited"),
  planned("note[2]", "reuse", "same"),
  planned("draft", "execute", "downstream"),
  planned("send", "leave", "effects"),
]);

test("items that are dealt with alike are one line; one alone keeps its own path", () => {
  expect(groupsOf(mixed).map(({ path, count, action }) => [path, count, action])).toEqual([
    ["extract", 1, "reuse"],
    ["note", 2, "reuse"],
    ["note[1]", 1, "execute"],
    ["draft", 1, "execute"],
    ["send", 1, "leave"],
  ]);
});

test("what changes is counted: what runs, and what is set by hand", () => {
  expect(changedSteps(mixed)).toBe(2);
  expect(changedSteps(plan([planned("a", "reuse", "same")]))).toBe(0);
  expect(changedSteps(plan([planned("a", "given", "by-hand")]))).toBe(1);
});

test("numbers are said as they are known", () => {
  expect(runsText(mixed)).toBe("Run 2 steps");
  expect(callsText(plan([], { calls: 1, calls_at_most: 1 }))).toBe("1 call");
  expect(callsText(plan([], { calls: 1, calls_at_most: 4 }))).toBe("1 to 4 calls");
});

test("a reason that the page does not know is shown as it came", () => {
  expect(whyText("edited")).toBe("edited");
  expect(whyText("from-the-future")).toBe("from-the-future");
});
