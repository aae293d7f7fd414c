import { expect, test } from "vitest";
import type { StepComparison } from "../api/types";
import { countsOf, markOf, movedFrom, nextDiffering, pathOf } from "./compared";

function step(verdict: StepComparison["verdict"], a: string | null, b: string | null): StepComparison {
  return { verdict, differs: [], a: a && { path: a }, b: b && { path: b } } as unknown as StepComparison;
}

const steps = [
  step("reused", "extract", "extract"),
  step("changed", "note[0]", "note[0]"),
  step("same", "note[1]", "note[2]"),
  step("only-b", null, "note[1]"),
  step("only-a", "word_count", null),
];

test("a step is opened by its path in b, else by that in a", () => {
  expect(steps.map(pathOf)).toEqual(["extract", "note[0]", "note[2]", "note[1]", "word_count"]);
});

test("the same in another place has moved", () => {
  expect(steps.map(markOf)).toEqual(["reused", "changed", "moved", "only-b", "only-a"]);
  expect(movedFrom(step("changed", "a", "b"))).toBe("a");
  expect(movedFrom(step("changed", "a", "a"))).toBeNull();
});

test("j and k go from difference to difference and stop at the ends", () => {
  expect(nextDiffering(steps, "extract")).toBe("note[0]");
  expect(nextDiffering(steps, "note[0]")).toBe("note[1]");
  expect(nextDiffering(steps, "word_count")).toBeNull();
  expect(nextDiffering(steps, "word_count", true)).toBe("note[1]");
  expect(nextDiffering(steps, "note[0]", true)).toBeNull();
});

test("counts come in a fixed order, without zeros", () => {
  expect(countsOf([...steps, steps[1] as StepComparison])).toEqual([
    ["reused", 1],
    ["changed", 2],
    ["moved", 1],
    ["only-a", 1],
    ["only-b", 1],
  ]);
});
