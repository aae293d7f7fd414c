import { expect, test } from "vitest";
import type { StepRow } from "../api/types";
import { partsOf, placed, spanOf, ticksOf, told, windowOf } from "./timeline";

const BEGAN = 1_000_000_000;

function step(part: Partial<StepRow> = {}): StepRow {
  const none = { cause_path: null, queue_us: null, ttft_us: null, attempts: 1, tries: [] };
  return { path: "s", kind: "prompt", status: "ok", started_at: BEGAN, duration_us: 1000, ...none, ...part } as unknown as StepRow;
}

function attempt(n: number, at: number, us: number | null, rest: object = {}): StepRow["tries"][number] {
  return { n, reason: "first", status: "ok", started_at: BEGAN + at, duration_us: us, ttft_us: null, ...rest };
}

function drawn(row: StepRow, now = BEGAN + 5000): [string, number, number, number][] {
  return partsOf(row, now).map((part) => [part.kind, part.n, part.from - BEGAN, part.us]);
}

test("a step waits, then waits for its first token, then writes", () => {
  expect(drawn(step({ queue_us: 200, ttft_us: 300 }))).toEqual([["wait", 1, 0, 200], ["first", 1, 200, 300], ["work", 1, 500, 500]]);
});

test("without a stream there is one piece of work", () => {
  expect(drawn(step())).toEqual([["work", 1, 0, 1000]]);
});

test("every try has its own pieces, with the pauses between them", () => {
  const tries = [attempt(1, 100, 300, { status: "failed", ttft_us: 50 }), attempt(2, 600, 400)];
  const row = step({ attempts: 2, tries });
  expect(drawn(row)).toEqual([
    ["wait", 1, 0, 100], ["first", 1, 100, 50], ["work", 1, 150, 250], ["wait", 2, 400, 200], ["work", 2, 600, 400],
  ]);
  expect(partsOf(row, 0).map((part) => part.failed)).toEqual([false, true, true, false, false]);
});

test("a step that waits for its next try is waiting until now", () => {
  const tries = [attempt(1, 0, 100, { status: "failed" }), attempt(2, 200, 100, { status: "failed" })];
  const row = step({ status: "running", duration_us: null, tries });
  expect(drawn(row, BEGAN + 900).at(-1)).toEqual(["wait", 2, 300, 600]);
  expect(drawn(step({ status: "failed", tries })).at(-1)).toEqual(["work", 2, 200, 100]);
});

test("a clock that was put back makes no overlap, and nothing stands out of the step", () => {
  const row = step({ attempts: 2, tries: [attempt(1, 0, 600), attempt(2, -5000, 9000)] });
  expect(drawn(row)).toEqual([["work", 1, 0, 600], ["work", 2, 600, 400]]);
  expect(drawn(step({ queue_us: 9000 }))).toEqual([["wait", 1, 0, 1000]]);
});

test("an open step reaches to now, and one that did not run has no bar", () => {
  expect(drawn(step({ status: "running", duration_us: null }), BEGAN + 700)).toEqual([["work", 1, 0, 700]]);
  expect(["skipped", "reused", "cached"].map((status) => drawn(step({ status: status as StepRow["status"] })))).toEqual([[], [], []]);
});

test("the run's span holds all its steps", () => {
  expect(spanOf(BEGAN, null, [step({ started_at: BEGAN + 500 })], null)).toEqual({ from: BEGAN, us: 1500 });
  expect(spanOf(BEGAN, 4000, [step()], null).us).toBe(4000);
  expect(spanOf(BEGAN, null, [], BEGAN + 9).us).toBe(9);
});

test("what is out of sight has no place, what is cut keeps its rest", () => {
  const window = { from: 100, us: 100 };
  expect(placed({ from: 150, us: 20 }, window)).toEqual({ left: 50, width: 20 });
  expect(placed({ from: 0, us: 120 }, window)).toEqual({ left: 0, width: 20 });
  expect(placed({ from: 201, us: 5 }, window)).toBeNull();
  expect(placed({ from: 0, us: 5 }, { from: 0, us: 0 })).toBeNull();
});

test("a zoomed window stays within the run", () => {
  const whole = { from: 0, us: 64_000 };
  expect(windowOf(whole, 0, 9)).toEqual(whole);
  expect(windowOf(whole, 2, 32_000)).toEqual({ from: 24_000, us: 16_000 });
  expect(windowOf(whole, 2, 63_000)).toEqual({ from: 48_000, us: 16_000 });
  expect(windowOf(whole, 99, 0)).toEqual({ from: 0, us: 1000 });
  expect(windowOf({ from: 5, us: 0 }, 3, 5)).toEqual({ from: 5, us: 0 });
});

test.each([
  [0, 10_000_000, 5, ["0", "2 s", "4 s", "6 s", "8 s"]],
  [0, 900_000, 3, ["0", "500 ms"]],
  [0, 600, 3, ["0", "200 µs", "400 µs"]],
  [0, 300_000_000, 5, ["0", "1:00", "2:00", "3:00", "4:00"]],
  [0, 7_200_000_000, 4, ["0", "30:00", "1:00:00", "1:30:00"]],
  [12_200_000, 100_000, 4, ["12.20 s", "12.25 s", "12.30 s"]],
])("from %s µs on, %s µs have marks at round times", (from, us, most, labels) => {
  expect(ticksOf({ from: 0, us: 1e12 }, { from, us }, most).map((tick) => tick.label)).toEqual(labels);
});

test("a run of no length has no marks", () => {
  expect(ticksOf({ from: 0, us: 0 }, { from: 0, us: 0 }, 5)).toEqual([]);
});

test("a row says in words what it shows", () => {
  const whole = { from: BEGAN - 2_000_000, us: 9_000_000 };
  const row = step({ duration_us: 1_500_000, queue_us: 300_000, ttft_us: 200_000, attempts: 2 });
  expect(told(row, whole, 0)).toBe("ok, began after 2.0 s, took 1.5 s, waited 300 ms, first token after 200 ms, 2 attempts");
  expect(told(step({ status: "skipped", cause_path: "draft" }), whole, 0)).toBe("skipped because of draft");
  expect(told(step({ status: "cached" }), whole, 0)).toBe("cached: not run again");
});
