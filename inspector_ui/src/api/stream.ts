// The connection for live updates: opened again when it is lost, from where it was. Knows no tab and no query.
import type { Moved, Written } from "./types";

export type State = "connecting" | "live" | "reconnecting" | "stale";

export type Told = {
  moved: (frame: Moved, id: string) => void;
  written: (frame: Written) => void;
  /** Also with every sign of life, so that whoever hears nothing knows. */
  state: (state: State) => void;
};

export type Stream = { retry: () => void; close: () => void };

/** What an EventSource is to us; a test has another one. */
export type Source = Pick<EventSource, "addEventListener" | "close">;

const SILENCE_MS = 40_000; // the server says something every 15 s
const FIRST_MS = 250;
const LONGEST_MS = 10_000;
const STALE_AFTER = 4; // tries in vain: about four seconds

/** How long to wait after so many tries in vain. */
export function waitAfter(failures: number): number {
  return Math.min(LONGEST_MS, FIRST_MS * 2 ** (failures - 1));
}

export function openStream(after: string | null, told: Told, open: (url: string) => Source): Stream {
  let last = after;
  let failures = 0;
  let source: Source | null = null;
  let timer: ReturnType<typeof setTimeout> | undefined;

  const wait = (what: () => void, ms: number): void => {
    clearTimeout(timer);
    timer = setTimeout(what, ms);
  };
  const heard = (): void => {
    failures = 0;
    wait(lost, SILENCE_MS);
    told.state("live");
  };
  // Its own way of trying again keeps the address, and gives up on some answers: each connection is a new one.
  const lost = (): void => {
    source?.close();
    source = null;
    failures += 1;
    told.state(failures < STALE_AFTER ? "reconnecting" : "stale");
    wait(connect, waitAfter(failures));
  };
  const connect = (): void => {
    const mine = open(last === null ? "api/events" : `api/events?after=${encodeURIComponent(last)}`);
    source = mine;
    const on = (name: string, take: (event: MessageEvent<string>) => void): void =>
      mine.addEventListener(name, (event) => {
        if (source === mine) {
          take(event as MessageEvent<string>); // oxlint-disable-line typescript/no-unsafe-type-assertion -- an EventSource sends no other
        }
      });
    on("moved", (event) => {
      heard();
      last = event.lastEventId;
      told.moved(JSON.parse(event.data) as Moved, last);
    });
    on("written", (event) => {
      heard();
      told.written(JSON.parse(event.data) as Written);
    });
    on("ping", heard);
    on("error", lost);
    wait(lost, SILENCE_MS);
  };
  connect();
  return {
    /** Try now, if it is waiting to. */
    retry: () => {
      if (source === null) {
        wait(connect, 0);
      }
    },
    close: () => {
      clearTimeout(timer);
      source?.close();
      source = null;
    },
  };
}
