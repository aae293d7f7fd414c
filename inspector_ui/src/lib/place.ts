// Where in a reply the problem is that its error names: a position in JSON that could not be read, or the path of a value.
// Pure. What cannot be found is not guessed at.

export type Range = { from: number; to: number };

const FENCE = /^(\s*```[a-zA-Z0-9]*\s*\n)([^]*?)\n?\s*```\s*$/;
const POSITION = /: line \d+ column \d+ \(char (\d+)\)/;
const HEADLINE = "the reply does not fit the type: ";
const LONGEST = 40;

/** The places that an error's message names in a reply, in order and without overlap. */
export function placesOf(message: string, reply: string): Range[] {
  const line = message.split("\n", 1)[0] ?? "";
  if (!line.startsWith(HEADLINE)) {
    return [];
  }
  const told = line.slice(HEADLINE.length);
  const fence = FENCE.exec(reply);
  const [start, body] = fence ? [fence[1]?.length ?? 0, fence[2] ?? ""] : [0, reply];
  const position = told.startsWith("not JSON: ") ? POSITION.exec(told)?.[1] : undefined;
  const found = position !== undefined ? [wordAt(body, Number(position))] : told.split("; ").map((problem) => valueAt(body, problem));
  const ranges = found.filter((range) => range !== null).toSorted((a, b) => a.from - b.from);
  return ranges
    .filter((range, i) => i === 0 || range.from >= (ranges[i - 1]?.to ?? 0))
    .map(({ from, to }) => ({ from: start + from, to: start + to }));
}

/** The word at a position, which the server counts in characters and JavaScript in halves of some. */
function wordAt(text: string, characters: number): Range | null {
  const from = Array.from(text).slice(0, characters).join("").length;
  if (text.length === 0) {
    return null;
  }
  if (from >= text.length) {
    return { from: text.length - 1, to: text.length }; // it ended too early
  }
  const word = /^\S{1,40}|^\s/.exec(text.slice(from, from + LONGEST))?.[0] ?? text[from] ?? "";
  return { from, to: from + word.length };
}

function valueAt(text: string, problem: string): Range | null {
  const [where = "", what] = problem.split(": ", 2);
  if (what === undefined) {
    return null;
  }
  const path = where.match(/[^.[\]]+/g) ?? [];
  let at = { from: skipSpace(text, 0), to: text.length };
  for (const [i, name] of path.entries()) {
    const inner = child(text, at.from, name);
    if (inner === null) {
      // What is not there is marked where it should be; anything else would be a guess.
      return what === "Field required" && i === path.length - 1 ? { from: at.from, to: at.from + 1 } : null;
    }
    at = inner;
  }
  return path.length > 0 ? at : null;
}

/** The field or item of this name of the value that begins at `from`. */
function child(text: string, from: number, name: string): Range | null {
  const open = text[from];
  if (open !== "{" && open !== "[") {
    return null;
  }
  let at = skipSpace(text, from + 1);
  for (let n = 0; at < text.length && text[at] !== "}" && text[at] !== "]"; n += 1) {
    let key = String(n);
    if (open === "{") {
      const end = endOf(text, at);
      key = keyOf(text.slice(at, end));
      const colon = skipSpace(text, end);
      if (text[colon] !== ":") {
        return null;
      }
      at = skipSpace(text, colon + 1);
    }
    const end = endOf(text, at);
    if (end <= at) {
      return null;
    }
    if (key === name) {
      return { from: at, to: end };
    }
    at = skipSpace(text, end);
    at = text[at] === "," ? skipSpace(text, at + 1) : at;
  }
  return null;
}

const PIECE = /"(?:[^"\\]|\\[^])*"|[{}[\]]|[^\s"{}[\],:]+/g;

/** The end of the value that begins at `from`; `from` itself when there is none. */
function endOf(text: string, from: number): number {
  let depth = 0;
  PIECE.lastIndex = from;
  for (let found = PIECE.exec(text); found; found = PIECE.exec(text)) {
    const [piece] = found;
    depth += piece === "{" || piece === "[" ? 1 : piece === "}" || piece === "]" ? -1 : 0;
    if (depth <= 0) {
      return depth < 0 ? from : found.index + piece.length;
    }
  }
  return from;
}

function keyOf(quoted: string): string {
  try {
    return String(JSON.parse(quoted));
  } catch {
    return quoted;
  }
}

function skipSpace(text: string, from: number): number {
  const space = /[ \t\r\n]*/y;
  space.lastIndex = from;
  return from + (space.exec(text)?.[0].length ?? 0);
}
