// What a pane shows when it has nothing to show: loading, empty, error, lost connection.
import { useEffect, useState, type ReactNode } from "react";
import { ApiError } from "../api/client";
import { CopyButton } from "./CopyButton";

const PATIENCE_MS = 150; // below it, a flash of grey says less than nothing

export function Loading({ rows = 6 }: { rows?: number }) {
  const [late, setLate] = useState(false);
  useEffect(() => {
    const timer = setTimeout(() => setLate(true), PATIENCE_MS);
    return () => clearTimeout(timer);
  }, []);
  return (
    <div role="status" className="loading">
      <span className="visually-hidden">Loading</span>
      {late && Array.from({ length: rows }, (_, i) => <div key={i} className="bone" />)}
    </div>
  );
}

export function Empty({ title, command, children }: { title: string; command?: string; children?: ReactNode }) {
  return (
    <div className="empty">
      <h2>{title}</h2>
      {children}
      {command && <Command text={command} />}
    </div>
  );
}

export function Trouble({ error, retry }: { error: Error; retry?: () => void }) {
  const locked = error instanceof ApiError && error.status === 401;
  return (
    <div className="empty" role="alert">
      <h2>{locked ? "This page is not signed in" : "This could not be loaded"}</h2>
      <p>{error.message}</p>
      {locked && <Command text="chainlab inspect" />}
      {retry && !locked && (
        <button type="button" onClick={retry}>
          Try again
        </button>
      )}
    </div>
  );
}

/** Shown above what was loaded before the connection was lost. */
export function StaleBanner({ error }: { error: Error | null }) {
  return error ? (
    <p role="status" className="banner">
      {error.message} What you see is from before.
    </p>
  ) : null;
}

function Command({ text }: { text: string }) {
  return (
    <p className="command">
      <code>{text}</code>
      <CopyButton text={text} />
    </p>
  );
}
