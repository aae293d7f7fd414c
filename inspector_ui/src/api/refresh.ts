// Frames become refetches: once a drawn frame at most, and never before those of the last ones have come. Knows no query.
import { merged } from "./frames";
import type { Moved } from "./types";

const REST_MS = 100;
const LONGEST_REST_MS = 1000;
const PATIENCE_MS = 10_000; // for one refetch; a server that hangs holds up nothing else

/** `refetch` what a frame concerns. A hidden page draws nothing, so it asks when it is looked at again. */
export function refresher(refetch: (moved: Moved) => Promise<unknown>): (moved: Moved) => void {
  let waiting: Moved | null = null;
  let busy = false;

  const work = async (): Promise<void> => {
    const moved = waiting;
    waiting = null;
    if (moved) {
      const began = performance.now();
      await Promise.race([refetch(moved), sleep(PATIENCE_MS)]);
      // As long as it took: a run that moves fast must not keep the server busy with answers.
      await sleep(Math.min(LONGEST_REST_MS, Math.max(REST_MS, performance.now() - began)));
    }
    if (waiting) {
      requestAnimationFrame(work);
    } else {
      busy = false;
    }
  };
  return (moved) => {
    waiting = merged(waiting, moved);
    if (!busy) {
      busy = true;
      requestAnimationFrame(work);
    }
  };
}

function sleep(ms: number): Promise<void> {
  return new Promise((done) => {
    setTimeout(done, ms);
  });
}
