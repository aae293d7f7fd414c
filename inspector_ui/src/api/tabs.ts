// One connection for all tabs: one of them leads (by a Web Lock), and tells the others (by a BroadcastChannel).
//
// A browser opens six connections to a server, and no more: with one for each tab, the seventh tab would not load.
import { openStream, type Source, type State, type Stream, type Told } from "./stream";
import type { Moved, Written } from "./types";

const NAME = "chainlab-live";
const SILENCE_MS = 45_000; // a leader says something every 15 s

type Message =
  | { kind: "moved"; frame: Moved; id: string }
  | { kind: "written"; frame: Written }
  | { kind: "state"; state: State; id: string | null }
  | { kind: "who" } // a tab was opened
  | { kind: "retry" };

/** `all`: the texts that a tab which was opened later has missed. Gives a way to try again now. */
export function listen(told: Told, all: () => Written[]): () => void {
  if (!("locks" in navigator) || typeof BroadcastChannel === "undefined") {
    return openStream(null, told, open).retry;
  }
  const channel = new BroadcastChannel(NAME);
  // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a channel has none: it is of one origin
  const say = (message: Message): void => channel.postMessage(message);
  let stream: Stream | null = null;
  let last: string | null = null; // where this tab is
  let state: State = "connecting";
  let timer: ReturnType<typeof setTimeout> | undefined;

  const both: Told = {
    moved: (frame, id) => {
      last = id;
      say({ kind: "moved", frame, id });
      told.moved(frame, id);
    },
    written: (frame) => {
      say({ kind: "written", frame });
      told.written(frame);
    },
    state: (now) => {
      state = now;
      say({ kind: "state", state, id: last });
      told.state(now);
    },
  };
  const hear = (message: Message): void => {
    switch (message.kind) {
      case "moved":
        last = message.id;
        return told.moved(message.frame, message.id);
      case "written":
        return told.written(message.frame);
      case "state":
        clearTimeout(timer);
        timer = setTimeout(() => told.state("stale"), SILENCE_MS); // a leader that was frozen
        last ??= message.id; // what this tab shows was asked for after it began to hear
        return told.state(message.state);
      case "who":
        if (stream) {
          stream.retry(); // whoever opens a tab has perhaps just started the server again
          say({ kind: "state", state, id: last });
          for (const frame of all()) {
            say({ kind: "written", frame });
          }
        }
        return;
      case "retry":
        stream?.retry();
    }
  };
  channel.addEventListener("message", (event: MessageEvent<Message>) => hear(event.data));
  say({ kind: "who" });
  void navigator.locks.request(NAME, () => {
    clearTimeout(timer);
    stream = openStream(last, both, open);
    return new Promise(() => {}); // led until the tab is closed
  });
  return () => (stream ? stream.retry() : say({ kind: "retry" }));
}

function open(url: string): Source {
  return new EventSource(url);
}
