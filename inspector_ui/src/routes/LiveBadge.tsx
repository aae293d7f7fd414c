// Whether what the page shows is current.
import { useLive } from "../api/live";

const SAID = {
  connecting: ["Connecting", "The connection for live updates is being opened."],
  live: ["Live", "What you see changes as it happens."],
  reconnecting: ["Reconnecting", "The connection was lost; it is opened again, and nothing will be missing."],
  stale: ["Stale", "The inspector does not answer. Is `chainlab inspect` still running?"],
} as const;

export function LiveBadge() {
  const { state, retry } = useLive();
  const [word, title] = SAID[state];
  return (
    <span className={`live-badge is-${state}`}>
      <span role="status" title={title}>
        <span aria-hidden="true" className="live-dot" />
        <span className="live-word">{word}</span>
      </span>
      {state === "stale" && (
        <button type="button" className="quiet" onClick={retry}>
          Try now
        </button>
      )}
    </span>
  );
}
