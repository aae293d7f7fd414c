import { expect, test } from "vitest";
import type { StepView } from "../api/types";
import { defaultTab, tabsOf } from "./tabs";

function step(part: object): StepView {
  return { path: "s", row: { kind: "prompt", status: "ok" }, inputs: [], output: null, attempts: [], definition: null, ...part } as unknown as StepView;
}

const tried = [{ reply: { text: "x" } }];

test("a failed prompt opens at the raw reply, a good one at the prompt", () => {
  expect(defaultTab(step({ row: { kind: "prompt", status: "failed" }, attempts: tried }))).toBe("reply");
  expect(defaultTab(step({ attempts: tried }))).toBe("prompt");
});

test("a failed prompt without a reply opens at the prompt", () => {
  expect(defaultTab(step({ row: { kind: "prompt", status: "failed" }, attempts: [{ reply: null }] }))).toBe("prompt");
});

test("a Python step has neither prompt nor reply", () => {
  const view = step({ row: { kind: "code", status: "ok" }, attempts: tried, output: { text: "1" } });
  expect(tabsOf(view).map((tab) => tab.label)).toEqual(["Definition", "Inputs", "Output", "Attempts"]);
  expect(defaultTab(view)).toBe("output");
});

test("a step that has not begun shows its template", () => {
  expect(defaultTab(step({ row: null, definition: { kind: "prompt" } }))).toBe("definition");
});
