// A compared text as lines to draw: long stretches that are equal are folded. Pure.
import type { Chunk, Span } from "../api/types";

/** `a`, `b`: its number in either text. `hidden`: how many equal lines stand here folded. */
export type DiffLine =
  | { kind: "line"; op: Chunk["op"]; a: number | null; b: number | null; spans: readonly Span[] }
  | { kind: "fold"; key: number; hidden: number };

const CONTEXT = 3;
const WORTH_FOLDING = 4; // a fold takes a line of its own

export function diffLines(chunks: readonly Chunk[], opened: ReadonlySet<number> = new Set()): DiffLine[] {
  return chunks.flatMap((chunk, i) => {
    const [before, after] = [chunks[i - 1], chunks[i + 1]];
    if (chunk.op === "removed" && after?.op === "added") {
      return changed(chunk, after);
    }
    if (chunk.op === "added" && before?.op === "removed") {
      return []; // drawn with what it replaces
    }
    const lines = linesOf(chunk);
    if (chunk.op !== "same" || opened.has(i)) {
      return lines;
    }
    const head = i === 0 ? 0 : CONTEXT;
    const tail = i === chunks.length - 1 ? 0 : CONTEXT;
    const hidden = lines.length - head - tail;
    if (hidden < WORTH_FOLDING) {
      return lines;
    }
    const fold: DiffLine = { kind: "fold", key: i, hidden };
    return [...lines.slice(0, head), fold, ...lines.slice(lines.length - tail)];
  });
}

type Line = Extract<DiffLine, { kind: "line" }>;

/** Lines and what replaces them. A line to which only a line break was added is the same line: what follows tells. */
function changed(removed: Chunk, added: Chunk): Line[] {
  const [before, after] = [linesOf(removed), linesOf(added)];
  const length = Math.min(before.length, after.length);
  let same = 0;
  while (same < length && textOf(before[same]) === textOf(after[same])) {
    same += 1;
  }
  if (same === before.length && same === after.length) {
    return [...withBreak(before, removed), ...withBreak(after, added)];
  }
  const lines = after.slice(0, same).map((line, i): Line => {
    const spans = [{ text: textOf(line), changed: false }];
    return { kind: "line", op: "same", a: before[i]?.a ?? null, b: line.b, spans };
  });
  return [...lines, ...before.slice(same), ...after.slice(same)];
}

/** The one difference is a line break at the end: it is drawn. */
function withBreak(lines: readonly Line[], chunk: Chunk): Line[] {
  const ends = chunk.spans.at(-1)?.text.endsWith("\n") ?? false;
  return lines.map((line, i) =>
    ends && i === lines.length - 1 ? { ...line, spans: [...line.spans, { text: "↵", changed: true }] } : line,
  );
}

function textOf(line: Line | undefined): string {
  return line?.spans.map((span) => span.text).join("") ?? "";
}

function linesOf(chunk: Chunk): Line[] {
  const lines: Span[][] = [[]];
  for (const span of chunk.spans) {
    span.text.split("\n").forEach((text, i) => {
      if (i > 0) {
        lines.push([]);
      }
      if (text) {
        lines.at(-1)?.push({ text, changed: span.changed });
      }
    });
  }
  if (lines.length > 1 && lines.at(-1)?.length === 0) {
    lines.pop(); // what follows the last line break is the next chunk's
  }
  return lines.map((spans, i) => ({
    kind: "line",
    op: chunk.op,
    a: numbered(chunk.line_a, i),
    b: numbered(chunk.line_b, i),
    spans,
  }));
}

function numbered(first: number | null, i: number): number | null {
  return first === null ? null : first + i;
}

/** `["issues", 0, "text"]` as `issues[0].text`; the whole value is "". */
export function pathText(path: readonly (string | number)[] | null): string {
  return (path ?? [])
    .map((part, i) => {
      if (typeof part === "number") {
        return `[${part}]`;
      }
      return /^[A-Za-z_]\w*$/.test(part) ? `${i > 0 ? "." : ""}${part}` : `[${JSON.stringify(part)}]`;
    })
    .join("");
}
