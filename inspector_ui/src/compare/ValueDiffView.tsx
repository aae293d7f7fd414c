// How a value became another: text as lines, everything else by path.
import { useState } from "react";
import type { Change, ValueDiff } from "../api/types";
import { pathText } from "../lib/diff";
import { plural } from "../lib/format";
import { TextDiffView } from "./TextDiffView";

const PORTION = 100;

export function ValueDiffView({ diff, label }: { diff: ValueDiff; label: string }) {
  const [shown, setShown] = useState(PORTION);
  if (diff.kind === "unread") {
    return <p className="muted padded">The values differ, and are too large to be compared here.</p>;
  }
  if (diff.kind === "text" && diff.text) {
    return <TextDiffView diff={diff.text} label={label} />;
  }
  return (
    <div className="changes">
      {diff.reordered && <p className="muted padded">Fields stand in another order.</p>}
      <ul>
        {diff.changes.slice(0, shown).map((change, i) => (
          <ChangeView key={i} change={change} label={label} />
        ))}
      </ul>
      {diff.changes.length > shown && (
        <button type="button" className="quiet diff-fold" onClick={() => setShown(shown + PORTION)}>
          {plural(diff.changes.length - shown, "more change")}
        </button>
      )}
      {diff.coarse && <p className="cut">There was too much to compare: more is shown than differs.</p>}
    </div>
  );
}

function ChangeView({ change, label }: { change: Change; label: string }) {
  const [a, b] = [pathText(change.path_a), pathText(change.path_b)];
  const moved = change.path_a !== null && change.path_b !== null && a !== b;
  const name = (change.path_b === null ? a : b) || "the whole value";
  return (
    <li>
      <p className="change-path mono">
        {moved && <span className="muted">{a} → </span>}
        {name} <span className="kind">{change.kind}</span>
      </p>
      {change.text ? (
        <TextDiffView diff={change.text} label={`${label}: ${name}`} />
      ) : (
        <div className="diff mono">
          {change.kind !== "added" && <Side op="removed" value={change.before} />}
          {change.kind !== "removed" && <Side op="added" value={change.after} />}
        </div>
      )}
    </li>
  );
}

function Side({ op, value }: { op: "removed" | "added"; value: unknown }) {
  const text = typeof value === "string" ? value : JSON.stringify(value, null, 2);
  return (
    <div className={`diff-line is-${op}`}>
      <span className="diff-number" aria-hidden="true" />
      <span className="diff-sign" aria-hidden="true">
        {op === "removed" ? "−" : "+"}
      </span>
      <span className="diff-text">
        <span className="visually-hidden">{op === "removed" ? "only in a: " : "only in b: "}</span>
        {text}
      </span>
    </div>
  );
}
