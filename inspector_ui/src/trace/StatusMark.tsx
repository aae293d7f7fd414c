// A status as shape, colour and text: no one of the three alone.
import type { ReactNode } from "react";
import type { Status } from "../api/types";

const SHAPES: Record<Status, ReactNode> = {
  ok: <path d="M4.2 8.4l2.6 2.6 5-5.6" />,
  failed: <path d="M5 5l6 6M11 5l-6 6" />,
  running: <path d="M6.2 4.8l5 3.2-5 3.2z" fill="currentColor" />,
  queued: <path d="M8 5v3.2l2.2 1.4" />,
  skipped: <path d="M5 8h6" />,
  reused: <path d="M10.6 6.2A3.4 3.4 0 1 0 11.4 9M11.2 4.2v2.3H8.9" />,
  cached: <path d="M9 4L5.6 8.8h2.8L7 12l3.4-4.8H7.6z" fill="currentColor" strokeWidth="0.6" />,
  cancelled: <path d="M5.8 5.8h4.4v4.4H5.8z" fill="currentColor" />,
  interrupted: <path d="M8 4.6v4.2M8 11.2v.2" />,
};

// Drawn without their ring, so that a list shows at a glance what did and did not happen.
const DASHED: ReadonlySet<Status> = new Set(["skipped", "queued", "cached"]);

export function StatusIcon({ status }: { status: Status }) {
  return (
    <svg aria-hidden="true" viewBox="0 0 16 16" width="16" height="16" className={`status-icon is-${status}`}>
      <circle cx="8" cy="8" r="7" className="ring" strokeDasharray={DASHED.has(status) ? "2.4 2" : undefined} />
      <g className="shape">{SHAPES[status]}</g>
    </svg>
  );
}

export function StatusMark({ status }: { status: Status }) {
  return (
    <span className={`status is-${status}`}>
      <StatusIcon status={status} />
      <span>{status}</span>
    </span>
  );
}
