// What a template could say next: names of variables, and fields below them, from the recorded values. Pure.
import type { JsonNode } from "./json";

/** A variable of a prompt. `node` is null when its value is not known, or too large to have been loaded. */
export type Variable = { name: string; node: JsonNode | null };
export type Option = { text: string; type: string };

/** `from`: where in the template the word begins that an option replaces. */
export type Completion = { from: number; options: readonly Option[] };

const OPENERS = /\{\{|\{%|\}\}|%\}/g;
const WORD = /(?:[A-Za-z_]\w*(?:\[\d+\])*\.)*(?:[A-Za-z_]\w*)?$/;
const LOOP = /\{%-?\s*for\s+([A-Za-z_]\w*)\s+in\s+([\w.[\]]+)/g;
const MOST = 50;

/** What could stand at the caret; null outside of an expression, or when nothing begins like this. */
export function completionAt(template: string, caret: number, variables: readonly Variable[]): Completion | null {
  const before = template.slice(0, caret);
  const opened = [...before.matchAll(OPENERS)].at(-1);
  if (!opened || opened[0] === "}}" || opened[0] === "%}" || inText(before.slice(opened.index + 2))) {
    return null;
  }
  const word = WORD.exec(before)?.[0] ?? "";
  const dot = word.lastIndexOf(".");
  const typed = word.slice(dot + 1);
  const known = [...variables, ...loopVariables(before, variables)];
  const options = (dot < 0 ? known.map(asOption) : fieldsOf(resolve(word.slice(0, dot), known)))
    .filter((option) => option.text.startsWith(typed) && option.text !== typed)
    .slice(0, MOST);
  return options.length > 0 ? { from: caret - typed.length, options } : null;
}

/** The node at a path such as `ticket.lines[0].price`. */
export function resolve(path: string, variables: readonly Variable[]): JsonNode | null {
  const [head = "", ...rest] = path.split(/[.[\]]+/).filter(Boolean);
  let node = variables.findLast((variable) => variable.name === head)?.node ?? null;
  for (const part of rest) {
    node = childOf(node, part);
  }
  return node;
}

/** What a value is, in the words that authors write. */
export function typeName(node: JsonNode | null): string {
  switch (node?.kind) {
    case undefined:
      return "";
    case "string":
      return "str";
    case "object":
      return "object";
    case "array":
      return node.items.length === 0 ? "list" : `list[${typeName(node.items[0] ?? null)}]`;
    case "literal":
      return node.text === "true" || node.text === "false" ? "bool" : node.text === "null" ? "None" : numberType(node.text);
  }
}

function numberType(text: string): string {
  return /^-?\d+$/.test(text) ? "int" : "float";
}

function childOf(node: JsonNode | null, part: string): JsonNode | null {
  if (node?.kind === "array") {
    return node.items[Number(part)] ?? null;
  }
  return node?.kind === "object" ? (node.entries.findLast(([key]) => key === part)?.[1] ?? null) : null;
}

function fieldsOf(node: JsonNode | null): Option[] {
  const fields = node?.kind === "object" ? node.entries : [];
  return fields.filter(([key]) => /^[A-Za-z_]\w*$/.test(key)).map(([key, child]) => ({ text: key, type: typeName(child) }));
}

function asOption(variable: Variable): Option {
  return { text: variable.name, type: typeName(variable.node) };
}

/** The variables of the loops that were begun before the caret; a loop that has ended does no harm here. */
function loopVariables(before: string, variables: readonly Variable[]): Variable[] {
  const known = [...variables];
  const found: Variable[] = [];
  for (const [, name = "", path = ""] of before.matchAll(LOOP)) {
    const list = resolve(path, known);
    const variable = { name, node: list?.kind === "array" ? (list.items[0] ?? null) : null };
    known.push(variable);
    found.push(variable);
  }
  return found;
}

function inText(code: string): boolean {
  const quote = /(["'])(?:(?!\1)[^])*(\1|$)/g;
  return [...code.matchAll(quote)].some((found) => !found[2]);
}
