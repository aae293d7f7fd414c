import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { openStream, type Source, type State, waitAfter } from "./stream";

class Fake implements Source {
  closed = false;
  readonly url: string;
  readonly #heard = new Map<string, (event: MessageEvent<string>) => void>();

  constructor(url: string) {
    this.url = url;
  }

  addEventListener(name: string, take: unknown): void {
    this.#heard.set(name, take as (event: MessageEvent<string>) => void);
  }

  close(): void {
    this.closed = true;
  }

  say(name: string, data: object = {}, lastEventId = ""): void {
    this.#heard.get(name)?.({ data: JSON.stringify(data), lastEventId } as MessageEvent<string>);
  }
}

const moved = { change: 7, runs: [], batches: false, resync: false };
let sources: Fake[];
let states: State[];
let ids: string[];

beforeEach(() => {
  vi.useFakeTimers();
  [sources, states, ids] = [[], [], []];
});

afterEach(() => vi.useRealTimers());

function begin(after: string | null = null): ReturnType<typeof openStream> {
  const told = { moved: (_: unknown, id: string) => ids.push(id), written: () => {}, state: (state: State) => states.push(state) };
  return openStream(after, told, (url) => {
    const made = new Fake(url);
    sources.push(made);
    return made;
  });
}

test("it waits longer after each try in vain, and never too long", () => {
  expect([1, 2, 3, 4].map(waitAfter)).toEqual([250, 500, 1000, 2000]);
  expect(waitAfter(60)).toBe(10_000);
});

test("a lost connection is opened again from where it was", () => {
  begin();
  expect(sources[0]?.url).toBe("api/events");
  sources[0]?.say("moved", moved, "s:1:7");
  sources[0]?.say("error");
  expect(sources[0]?.closed).toBe(true);
  vi.advanceTimersByTime(250);
  expect(sources.map((one) => one.url)).toEqual(["api/events", "api/events?after=s%3A1%3A7"]);
  sources[1]?.say("moved", moved, "s:1:9");
  expect([ids, states]).toEqual([["s:1:7", "s:1:9"], ["live", "reconnecting", "live"]]);
});

test("a connection that was given up is not heard any more", () => {
  begin("s:1:3");
  sources[0]?.say("error");
  sources[0]?.say("moved", moved, "s:1:7");
  expect(ids).toEqual([]);
  vi.advanceTimersByTime(250);
  expect(sources[1]?.url).toBe("api/events?after=s%3A1%3A3");
});

test("after some tries in vain what is shown counts as stale", () => {
  begin();
  for (let i = 0; i < 4; i += 1) {
    sources.at(-1)?.say("error");
    vi.advanceTimersByTime(waitAfter(i + 1));
  }
  expect(states).toEqual(["reconnecting", "reconnecting", "reconnecting", "stale"]);
  sources.at(-1)?.say("ping");
  expect(states.at(-1)).toBe("live");
});

test("silence is a lost connection, and a ping is none", () => {
  begin();
  sources[0]?.say("ping");
  vi.advanceTimersByTime(30_000);
  sources[0]?.say("ping");
  vi.advanceTimersByTime(30_000);
  expect(sources).toHaveLength(1);
  vi.advanceTimersByTime(10_250);
  expect(sources).toHaveLength(2);
});

test("trying now does not wait, and leaves a good connection alone", () => {
  const stream = begin();
  stream.retry();
  vi.advanceTimersByTime(0);
  expect(sources).toHaveLength(1);
  for (let i = 0; i < 8; i += 1) {
    sources.at(-1)?.say("error");
    stream.retry();
    vi.advanceTimersByTime(0);
  }
  expect(sources).toHaveLength(9);
  stream.close();
  vi.advanceTimersByTime(100_000);
  expect(sources).toHaveLength(9);
});
