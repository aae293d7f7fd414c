import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { refresher } from "./refresh";
import type { Moved } from "./types";

const frame = (change: number, id: string): Moved => ({ change, runs: [{ id, chain: "c" }], batches: false, resync: false });

let draw: (() => void)[];
let asked: string[][];
let answer: () => void;

function refetch(moved: Moved): Promise<void> {
  asked.push(moved.runs.map((run) => run.id));
  return new Promise((done) => {
    answer = done;
  });
}

beforeEach(() => {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "performance"] });
  [draw, asked] = [[], []];
  vi.stubGlobal("requestAnimationFrame", (what: () => void) => draw.push(what));
});

afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

test("frames that come before the page is drawn are one refetch", () => {
  const tell = refresher(refetch);
  tell(frame(1, "a"));
  tell(frame(2, "b"));
  expect([draw.length, asked]).toEqual([1, []]);
  draw.shift()?.();
  expect(asked).toEqual([["a", "b"]]);
});

test("what moves meanwhile is asked for when the last answer has come, and not before", async () => {
  const tell = refresher(refetch);
  tell(frame(1, "a"));
  draw.shift()?.();
  tell(frame(2, "b"));
  tell(frame(3, "c"));
  await vi.advanceTimersByTimeAsync(5000);
  expect([draw.length, asked]).toEqual([0, [["a"]]]);
  answer();
  await vi.advanceTimersByTimeAsync(1000);
  draw.shift()?.();
  expect(asked).toEqual([["a"], ["b", "c"]]);
});

test("an answer that never comes holds up nothing for ever", async () => {
  const tell = refresher(refetch);
  tell(frame(1, "a"));
  draw.shift()?.();
  await vi.advanceTimersByTimeAsync(11_000);
  tell(frame(2, "b"));
  draw.shift()?.();
  expect(asked).toEqual([["a"], ["b"]]);
});
