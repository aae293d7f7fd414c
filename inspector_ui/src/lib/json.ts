// JSON text read without loss: numbers keep their digits, keys their order and repeats, NaN stays NaN. Pure.
// JavaScript's own parser would change 2**70 and refuse NaN; a trace may hold both.

export type JsonNode =
  | { kind: "object"; entries: readonly (readonly [string, JsonNode])[] }
  | { kind: "array"; items: readonly JsonNode[] }
  | { kind: "string"; value: string }
  | { kind: "literal"; text: string };

const MAX_DEPTH = 200;
const SPACE = /[ \t\n\r]*/y;
const STRING = /"(?:[^"\\]|\\[^])*"/y;
const LITERAL = /true|false|null|NaN|-?Infinity|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/y;

/** The value that a JSON text says, or null when the text is not JSON (cut off, or too deep to draw). */
export function parseJson(text: string): JsonNode | null {
  const reader = new Reader(text);
  try {
    const node = reader.value(0);
    return reader.atEnd() ? node : null;
  } catch (error) {
    if (error instanceof NotJson) {
      return null;
    }
    throw error;
  }
}

/** A value laid out over lines, digits and order as they were. */
export function prettyJson(node: JsonNode, indent = ""): string {
  const deeper = `${indent}  `;
  switch (node.kind) {
    case "literal":
      return node.text;
    case "string":
      return JSON.stringify(node.value);
    case "array":
      return wrapped("[", "]", node.items.map((item) => deeper + prettyJson(item, deeper)), indent);
    case "object":
      return wrapped(
        "{",
        "}",
        node.entries.map(([key, value]) => `${deeper}${JSON.stringify(key)}: ${prettyJson(value, deeper)}`),
        indent,
      );
  }
}

/** The same on one line. */
export function writeJson(node: JsonNode): string {
  switch (node.kind) {
    case "literal":
      return node.text;
    case "string":
      return JSON.stringify(node.value);
    case "array":
      return `[${node.items.map(writeJson).join(", ")}]`;
    case "object":
      return `{${node.entries.map(([key, value]) => `${JSON.stringify(key)}: ${writeJson(value)}`).join(", ")}}`;
  }
}

function wrapped(open: string, close: string, lines: readonly string[], indent: string): string {
  return lines.length === 0 ? open + close : `${open}\n${lines.join(",\n")}\n${indent}${close}`;
}

class NotJson extends Error {}

class Reader {
  private at = 0;
  private readonly text: string;

  constructor(text: string) {
    this.text = text;
  }

  atEnd(): boolean {
    this.match(SPACE);
    return this.at === this.text.length;
  }

  value(depth: number): JsonNode {
    if (depth > MAX_DEPTH) {
      throw new NotJson();
    }
    this.match(SPACE);
    switch (this.text[this.at]) {
      case "{":
        return { kind: "object", entries: this.sequence("}", () => this.entry(depth + 1)) };
      case "[":
        return { kind: "array", items: this.sequence("]", () => this.value(depth + 1)) };
      case '"':
        return { kind: "string", value: this.string() };
      default:
        return { kind: "literal", text: this.need(LITERAL) };
    }
  }

  private entry(depth: number): readonly [string, JsonNode] {
    this.match(SPACE);
    const key = this.string();
    this.match(SPACE);
    this.skip(":");
    return [key, this.value(depth)];
  }

  private sequence<Item>(close: string, item: () => Item): Item[] {
    const items: Item[] = [];
    this.at += 1;
    this.match(SPACE);
    if (this.text[this.at] === close) {
      this.at += 1;
      return items;
    }
    for (;;) {
      items.push(item());
      this.match(SPACE);
      if (this.text[this.at] === close) {
        this.at += 1;
        return items;
      }
      this.skip(",");
    }
  }

  private string(): string {
    const quoted = this.need(STRING);
    try {
      return JSON.parse(quoted) as string;
    } catch {
      throw new NotJson();
    }
  }

  private need(pattern: RegExp): string {
    const found = this.match(pattern);
    if (!found) {
      throw new NotJson();
    }
    return found;
  }

  private match(pattern: RegExp): string {
    pattern.lastIndex = this.at;
    const found = pattern.exec(this.text)?.[0] ?? "";
    this.at += found.length;
    return found;
  }

  private skip(character: string): void {
    if (this.text[this.at] !== character) {
      throw new NotJson();
    }
    this.at += 1;
  }
}
