import { expect, test } from "vitest";
import { concerns, merged } from "./frames";
import type { Moved } from "./types";

function frame(part: Partial<Moved>): Moved {
  return { change: 1, runs: [], batches: false, resync: false, ...part };
}

const run = (id: string, chain: string | null = "brief"): Moved["runs"][number] => ({ id, chain });

test("two frames as one name every run once, and the newest change", () => {
  const both = merged(frame({ change: 5, runs: [run("a"), run("b")] }), frame({ change: 7, runs: [run("b", null)], batches: true }));
  expect(both).toEqual(frame({ change: 7, runs: [run("a"), run("b", null)], batches: true }));
  expect(merged(null, both)).toBe(both);
});

test("frames that would name too many runs ask for everything", () => {
  const many = Array.from({ length: 200 }, (_, i) => i);
  const both = merged(frame({ runs: many.map((i) => run(`a${i}`)) }), frame({ runs: many.map((i) => run(`b${i}`)) }));
  expect(both).toEqual(frame({ resync: true }));
  expect(merged(frame({ resync: true }), frame({ runs: [run("a")] })).resync).toBe(true);
});

test("a run that has changed concerns itself, its steps, its comparisons and the lists, and no other run", () => {
  const moved = frame({ runs: [run("a")] });
  const keys = [["run", "a"], ["step", "a", "draft", true], ["compare", "x", "a", ""], ["runs", {}], ["forks", "brief"], ["keep", "a"]];
  expect(keys.filter((key) => concerns(moved, key, undefined))).toEqual(keys);
  const others = [["run", "b"], ["step", "b", "draft"], ["compare", "b", "c", ""], ["forks", "other"], ["batch", "a"], ["models"], ["preview", "a", "{}"]];
  expect(others.filter((key) => concerns(moved, key, undefined))).toEqual([]);
});

test("the names of chains are asked for when one is new, or a run was deleted", () => {
  expect(concerns(frame({ runs: [run("a")] }), ["chains"], ["brief"])).toBe(false);
  expect(concerns(frame({ runs: [run("a", "new")] }), ["chains"], ["brief"])).toBe(true);
  expect(concerns(frame({ runs: [run("a", null)] }), ["chains"], ["brief"])).toBe(true);
  expect(concerns(frame({ runs: [run("a", null)] }), ["forks", "brief"], undefined)).toBe(true);
});

test("batches are asked for when one has moved, and everything when too much has", () => {
  const moved = frame({ batches: true });
  expect([["batches"], ["batch", "b"], ["runs", {}]].map((key) => concerns(moved, key, undefined))).toEqual([true, true, false]);
  expect(concerns(frame({ resync: true }), ["anything"], undefined)).toBe(true);
});
