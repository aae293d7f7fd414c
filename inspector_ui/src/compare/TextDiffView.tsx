// How a text became another: its lines, the words marked that differ, long equal stretches folded.
import { useState } from "react";
import type { TextDiff } from "../api/types";
import { type DiffLine, diffLines } from "../lib/diff";
import { plural } from "../lib/format";

const PORTION = 500; // lines

const COARSE: Record<NonNullable<TextDiff["coarse"]>, string> = {
  words: "There was too much to compare word by word: whole lines are marked.",
  lines: "There was too much to compare line by line: more is marked than differs.",
  text: "These texts are too large to compare: more is marked than differs.",
};

export function TextDiffView({ diff, label }: { diff: TextDiff; label: string }) {
  const [opened, setOpened] = useState<ReadonlySet<number>>(new Set());
  const [shown, setShown] = useState(PORTION);
  const lines = diffLines(diff.chunks, opened);
  return (
    <>
      {/* oxlint-disable-next-line jsx-a11y/no-noninteractive-tabindex -- long text scrolls, so keys must reach it */}
      <div className="diff mono" role="region" aria-label={label} tabIndex={0}>
        {lines.slice(0, shown).map((line, i) =>
          line.kind === "fold" ? (
            <button key={`fold ${line.key}`} type="button" className="quiet diff-fold" onClick={() => setOpened(new Set([...opened, line.key]))}>
              {plural(line.hidden, "equal line")}
            </button>
          ) : (
            <Line key={i} line={line} />
          ),
        )}
        {lines.length > shown && (
          <button type="button" className="quiet diff-fold" onClick={() => setShown(shown + PORTION)}>
            {plural(lines.length - shown, "more line")}
          </button>
        )}
      </div>
      {diff.coarse && <p className="cut">{COARSE[diff.coarse]}</p>}
    </>
  );
}

const SIGNS = { same: " ", removed: "−", added: "+" } as const;
const SAID = { same: "", removed: "only in a: ", added: "only in b: " } as const;

function Line({ line }: { line: Extract<DiffLine, { kind: "line" }> }) {
  return (
    <div className={`diff-line is-${line.op}`}>
      <span className="diff-number" aria-hidden="true">
        {line.op === "removed" ? line.a : line.b}
      </span>
      <span className="diff-sign" aria-hidden="true">
        {SIGNS[line.op]}
      </span>
      <span className="diff-text">
        {SAID[line.op] && <span className="visually-hidden">{SAID[line.op]}</span>}
        {line.spans.map((span, i) => (span.changed ? <ChangedSpan key={i} op={line.op} text={span.text} /> : span.text))}
      </span>
    </div>
  );
}

function ChangedSpan({ op, text }: { op: DiffLineOp; text: string }) {
  return op === "removed" ? <del>{text}</del> : <ins>{text}</ins>;
}

type DiffLineOp = Extract<DiffLine, { kind: "line" }>["op"];
