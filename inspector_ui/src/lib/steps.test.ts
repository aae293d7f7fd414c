import { expect, test } from "vitest";
import type { RunView, StepRow } from "../api/types";
import { instanceOf, nextFailed, openAt, staticPath } from "./steps";

function step(path: string, status: StepRow["status"] = "ok"): StepRow {
  return { path, static: staticPath(path), status } as StepRow;
}

const steps = [step("a"), step("b[0]"), step("b[1]", "failed"), step("c", "skipped"), step("d", "failed")];

test("a path without items and rounds is its declared step", () => {
  expect(["draft", "summarise[3]", "rewrite[3]@2", "outer[1]/draft@4", "summarise~2"].map(staticPath)).toEqual([
    "draft", "summarise", "rewrite", "outer/draft", "summarise~2",
  ]);
});

test("a failed run opens at its cause, any other at its last step", () => {
  expect(openAt({ steps, failed_path: "b[1]" } as unknown as RunView)).toBe("b[1]");
  expect(openAt({ steps: steps.slice(0, 2), failed_path: null } as unknown as RunView)).toBe("b[0]");
  expect(openAt({ steps: [], failed_path: null } as unknown as RunView)).toBe("");
});

test("a folded step opens at the instance that failed", () => {
  expect([instanceOf(steps, "b"), instanceOf(steps, "a"), instanceOf(steps, "never-ran")]).toEqual([
    "b[1]", "a", "never-ran",
  ]);
});

test("failures are walked in a circle", () => {
  expect([nextFailed(steps, "a"), nextFailed(steps, "b[1]"), nextFailed(steps, "d")]).toEqual(["b[1]", "d", "b[1]"]);
  expect(nextFailed(steps, "d", true)).toBe("b[1]");
  expect(nextFailed([step("a")], "a")).toBeNull();
});
