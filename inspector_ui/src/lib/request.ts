// A try's request as JSON, as a shell command and as a program, in the form of the OpenAI API. Pure.
// Prompts hold anything: nothing in one may end a quotation, start an expansion, or hide what is copied.
import type { AttemptView, SegmentView } from "../api/types";
import { type JsonNode, parseJson, prettyJson, writeJson } from "./json";

/** `whole`: nothing of it is missing. `notes`: what of it is not as it was sent. */
export type Rebuilt = { body: JsonNode; whole: boolean; notes: readonly string[] };

const encoder = new TextEncoder();
const CHARACTER = 4; // bytes at most: where a text was cut, so many may have gone with its last character

/** How many bytes of a printed text are not here. */
export function missing(segment: SegmentView): number {
  const lacks = segment.size - encoder.encode(segment.text).length;
  return lacks >= CHARACTER ? lacks : 0;
}

/** `schema`: the JSON Schema of the step's output, of which the record only says that it was asked for. */
export function requestOf(attempt: AttemptView, schema: string | null): Rebuilt {
  const notes: string[] = [];
  const segments = attempt.messages.flatMap((message) => message.segments);
  const whole = !attempt.parameters?.cut && segments.every((segment) => missing(segment) === 0);
  if (!whole) {
    notes.push("Not all of the prompt is loaded: the whole values stand under Inputs.");
  }
  if (segments.some((segment) => segment.variable !== null && /^\[picture: .*\]$/.test(segment.text))) {
    notes.push("Pictures are named in the text; their bytes are left out.");
  }
  const messages = attempt.messages.map((message) =>
    object([
      ["role", string(message.role)],
      ["content", string(message.segments.map((segment) => segment.text).join(""))],
    ]),
  );
  const given = new Map(entries(attempt.parameters ? parseJson(attempt.parameters.text) : null));
  const adapter = given.get("adapter");
  const model = adapter ?? given.get("model");
  const typed = given.has("output_schema");
  for (const name of ["model", "adapter", "output_schema"]) {
    given.delete(name);
  }
  const format = typed ? responseFormat(schema) : null;
  if (typed && !format) {
    notes.push("The form of the reply was asked for in its backend's own way, which is left out.");
  }
  const body = object([
    ...(model ? [["model", model] as const] : []),
    ["messages", { kind: "array", items: messages }],
    ...given,
    ...(format ? [["response_format", format] as const] : []),
  ]);
  return { body, whole, notes };
}

export function asJson(body: JsonNode): string {
  return printable(prettyJson(body));
}

/** A command for a POSIX shell. The body is a quoted here-document, in which a shell reads nothing. */
export function asCurl(body: JsonNode): string {
  // One line, so that no line of it can be the end; and no "!", which an interactive shell may take for its history.
  const line = printable(writeJson(body)).replaceAll("!", "\\u0021");
  return `curl -sS "$CHAINLAB_BASE_URL/chat/completions" \\
  -H "Authorization: Bearer $API_KEY" \\
  -H 'Content-Type: application/json' \\
  --data-binary @- <<'REQUEST'
${line}
REQUEST
`;
}

export function asPython(body: JsonNode): string {
  return `import json
import os

import httpx

body = ${pythonLiteral(body)}
reply = httpx.post(
    os.environ["CHAINLAB_BASE_URL"] + "/chat/completions",
    headers={"Authorization": "Bearer " + os.environ["API_KEY"], "Content-Type": "application/json"},
    content=json.dumps(body),
    timeout=120,
)
reply.raise_for_status()
print(reply.json()["choices"][0]["message"]["content"])
`;
}

const WORDS: Record<string, string> = {
  true: "True",
  false: "False",
  null: "None",
  NaN: 'float("nan")',
  Infinity: 'float("inf")',
  "-Infinity": 'float("-inf")',
};

function pythonLiteral(node: JsonNode, indent = ""): string {
  const deeper = `${indent}    `;
  const lines = (open: string, close: string, parts: readonly string[]): string =>
    parts.length === 0 ? open + close : `${open}\n${parts.map((part) => `${deeper}${part},\n`).join("")}${indent}${close}`;
  switch (node.kind) {
    case "literal":
      return WORDS[node.text] ?? node.text;
    case "string":
      return quoted(node.value);
    case "array":
      return lines("[", "]", node.items.map((item) => pythonLiteral(item, deeper)));
    case "object":
      return lines("{", "}", node.entries.map(([key, value]) => `${quoted(key)}: ${pythonLiteral(value, deeper)}`));
  }
}

/** JSON's escapes are Python's, but for the surrogates of one character, which stay that character. */
function quoted(text: string): string {
  return printable(JSON.stringify(text));
}

/** Controls, separators and marks of direction as escapes: what is copied is what is seen. */
function printable(json: string): string {
  return json.replace(
    /[\u007f-\u009f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]/g,
    (character) => `\\u${(character.codePointAt(0) ?? 0).toString(16).padStart(4, "0")}`,
  );
}

function responseFormat(schema: string | null): JsonNode | null {
  const node = schema === null ? null : parseJson(schema);
  const fields = new Map(entries(node));
  const type = fields.get("type");
  if (node === null || type?.kind !== "string" || type.value !== "object") {
    return null;
  }
  const title = fields.get("title");
  const name = title?.kind === "string" ? title.value.replace(/[^A-Za-z0-9_-]+/g, "_").slice(0, 64) : "";
  const named = object([
    ["name", string(name || "output")],
    ["schema", node],
  ]);
  return object([
    ["type", string("json_schema")],
    ["json_schema", named],
  ]);
}

function entries(node: JsonNode | null): readonly (readonly [string, JsonNode])[] {
  return node?.kind === "object" ? node.entries : [];
}

function object(fields: readonly (readonly [string, JsonNode])[]): JsonNode {
  return { kind: "object", entries: fields };
}

function string(value: string): JsonNode {
  return { kind: "string", value };
}
