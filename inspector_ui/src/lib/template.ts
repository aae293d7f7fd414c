// A Jinja template cut into text, expressions, statements and comments, for colours only. Pure.

export type TemplatePart = { kind: "text" | "expression" | "statement" | "comment"; text: string };

const PART = /\{\{[^]*?\}\}|\{%[^]*?%\}|\{#[^]*?#\}/g;
const KINDS: Record<string, TemplatePart["kind"]> = { "{{": "expression", "{%": "statement", "{#": "comment" };

/** The parts, which joined are the template again. */
export function templateParts(template: string): TemplatePart[] {
  const parts: TemplatePart[] = [];
  let at = 0;
  const text = (to: number): void => {
    if (to > at) {
      parts.push({ kind: "text", text: template.slice(at, to) });
    }
  };
  for (const found of template.matchAll(PART)) {
    text(found.index);
    parts.push({ kind: KINDS[found[0].slice(0, 2)] ?? "text", text: found[0] });
    at = found.index + found[0].length;
  }
  text(template.length);
  return parts;
}

/** The parts line by line, without their line breaks: an editor draws and marks lines. */
export function templateLines(template: string): TemplatePart[][] {
  const lines: TemplatePart[][] = [[]];
  for (const part of templateParts(template)) {
    part.text.split("\n").forEach((text, i) => {
      if (i > 0) {
        lines.push([]);
      }
      if (text) {
        lines.at(-1)?.push({ kind: part.kind, text });
      }
    });
  }
  return lines;
}
