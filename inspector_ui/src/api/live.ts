// Live updates of everything the page shows: what has changed is asked for again, what a model writes is at hand.
import type { QueryClient } from "@tanstack/react-query";
import { useCallback, useSyncExternalStore } from "react";
import { askAgain } from "./again";
import { concerns } from "./frames";
import { refresher } from "./refresh";
import type { State } from "./stream";
import { listen } from "./tabs";
import { type Told, Texts } from "./texts";

const SLOWLY_MS = 5000;

const texts = new Texts();
const watchers = new Set<() => void>();
let state: State = "connecting";
let retry: () => void = () => {};

/** Begin, once for a page. */
export function startLive(client: QueryClient): void {
  const refresh = refresher((moved) =>
    askAgain(client, (query) => concerns(moved, query.queryKey, query.state.data)),
  );
  retry = listen(
    {
      moved: refresh,
      written: (frame) => {
        if (texts.add(frame)) {
          tell();
        }
      },
      state: (now) => {
        if (state !== now) {
          state = now;
          tell();
        }
      },
    },
    () => texts.all(),
  );
}

/** How the connection is, and a way to try again now. */
export function useLive(): { state: State; retry: () => void } {
  return { state: useSyncExternalStore(watch, currentState), retry };
}

type Asked = { state: { error: Error | null } };

/** How often a query asks on its own: slowly while it is not told what changes, or while its last answer is missing. */
export function useAskAgain(): (query: Asked) => number | false {
  return useSyncExternalStore(watch, currentState) === "live" ? ifItFailed : slowly;
}

function ifItFailed({ state: { error } }: Asked): number | false {
  return error === null ? false : SLOWLY_MS;
}

function slowly(): number {
  return SLOWLY_MS;
}

/** What a model has written so far in a step of a run, as far as this server carries it out. */
export function useText(run: string, path: string): Told | undefined {
  return useSyncExternalStore(
    watch,
    useCallback(() => texts.get(run, path), [run, path]),
  );
}

function watch(watcher: () => void): () => void {
  watchers.add(watcher);
  return () => watchers.delete(watcher);
}

function currentState(): State {
  return state;
}

function tell(): void {
  for (const watcher of watchers) {
    watcher();
  }
}
