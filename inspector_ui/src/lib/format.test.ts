import { expect, test } from "vitest";
import { ago, bytes, cost, count, duration, firstLine, plural } from "./format";

test.each([
  [null, "–"],
  [0, "0 µs"],
  [999, "999 µs"],
  [1500, "1.5 ms"],
  [42_000, "42 ms"],
  [1_234_000, "1.2 s"],
  [59_400_000, "59 s"],
  [59_600_000, "1 m 0 s"],
  [3_725_000_000, "1 h 2 m"],
])("a duration of %s µs reads %s", (us, text) => {
  expect(duration(us)).toBe(text);
});

test("counts and sizes stay short", () => {
  expect([count(0), count(9999), count(81_234), count(2_500_000), count(null)]).toEqual(["0", "9999", "81k", "2.5M", "–"]);
  expect([bytes(12), bytes(65_536), bytes(3_565_158)]).toEqual(["12 B", "64 kB", "3.4 MB"]);
});

test("a small cost keeps its digits", () => {
  expect([cost(null), cost(0), cost(4_000), cost(412_000_000), cost(1_500_000_000)]).toEqual([
    "–", "0", "0.0000040", "0.412", "1.50",
  ]);
});

test("times tell how long ago", () => {
  const now = 1e15;
  expect([0, 30e6, 120e6, 7200e6, 172_800e6].map((passed) => ago(now - passed, now))).toEqual([
    "now", "30 s ago", "2 min ago", "2 h ago", "2 d ago",
  ]);
});

test("an error's headline is its first line", () => {
  expect([firstLine("bad\n  expected  good"), firstLine("")]).toEqual(["bad", ""]);
});

test("one is singular", () => {
  expect([plural(1, "step"), plural(2, "step")]).toEqual(["1 step", "2 steps"]);
});
