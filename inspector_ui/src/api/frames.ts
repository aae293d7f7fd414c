// What the server tells without being asked, and which queries it concerns. Pure.
import type { Moved } from "./types";

const MOST_RUNS = 256; // as many as the server names in one frame

/** Two frames as one. */
export function merged(before: Moved | null, after: Moved): Moved {
  if (before === null) {
    return after;
  }
  const runs = new Map([...before.runs, ...after.runs].map((run) => [run.id, run]));
  const resync = before.resync || after.resync || runs.size > MOST_RUNS;
  return {
    change: Math.max(before.change, after.change),
    runs: resync ? [] : [...runs.values()],
    batches: before.batches || after.batches,
    resync,
  };
}

/** Whether a query's answer may be another one by now. `data` is what it is known to answer. */
export function concerns(moved: Moved, key: readonly unknown[], data: unknown): boolean {
  const has = (id: unknown): boolean => moved.runs.some((run) => run.id === id);
  const isGone = moved.runs.some((run) => run.chain === null);
  if (moved.resync) {
    return true;
  }
  switch (key[0]) {
    case "runs":
      return moved.runs.length > 0;
    case "run":
    case "step":
    case "keep":
      return has(key[1]);
    case "compare":
      return has(key[1]) || has(key[2]);
    case "forks": // of a chain
      return isGone || moved.runs.some((run) => run.chain === key[1]);
    case "chains":
      return isGone || moved.runs.some((run) => !Array.isArray(data) || !data.includes(run.chain));
    case "batches":
    case "batch":
      return moved.batches;
    default:
      return false;
  }
}
