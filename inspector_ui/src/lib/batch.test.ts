import { expect, test } from "vitest";
import type { BatchPlan, BatchRow } from "../api/types";
import { estimateText, standing } from "./batch";

const ROW: BatchRow = {
  id: "b1",
  kind: "backtest",
  chain: "brief",
  status: "done",
  total: 3,
  done: 3,
  counts: [],
  label: null,
  created_at: 0,
  finished_at: 1,
  here: false,
};

test("a backtest says how many have which verdict, the best first", () => {
  const counts = [
    { verdict: "same", count: 1 },
    { verdict: "fixed", count: 2 },
    { verdict: "broken", count: 0 },
  ];
  expect(standing({ ...ROW, counts })).toBe("2 fixed · 1 same");
});

test("one that goes on says how far it is, and a noise control what it found", () => {
  expect(standing({ ...ROW, done: 1 })).toBe("1 of 3 done");
  expect(standing({ ...ROW, kind: "noise", label: "noise" })).toBe("within sampling noise");
});

test("what is not known is said to be unknown, and is not 0", () => {
  const estimate = { calls: 3, calls_at_most: 3, tokens_in: null, tokens_out: null, duration_us: null, unknown: 3, cost_nano: null };
  const plan = { kind: "backtest", chain: "brief", runs: [], steps: [], k: null, level: null, notes: [], estimate, calls_left: 9 } satisfies BatchPlan;
  expect(estimateText(plan)).toBe("3 calls · tokens unknown · time unknown · cost unknown");
  const known = { ...estimate, calls_at_most: 5, tokens_in: 600, tokens_out: 60, duration_us: 2_000_000, cost_nano: 1_500_000 };
  expect(estimateText({ ...plan, estimate: known })).toBe("3 to 5 calls · about 600 tokens in, 60 out · about 2.0 s · costs about 0.00150");
});
