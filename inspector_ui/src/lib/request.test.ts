import { expect, test } from "vitest";
import type { AttemptView } from "../api/types";
import { writeJson } from "./json";
import { asCurl, asJson, asPython, requestOf } from "./request";

const HOSTILE = [
  `it's "quoted" and 'single' and '\\'' too`,
  "$(touch /tmp/owned) `id` ${HOME} $API_KEY",
  "line\nREQUEST\nrm -rf /\r\n",
  "!! !$ \\ \\n %s",
  "é 漢字 😀 \u202egnp.exe \u2028 \u0000 \u001b[31m \u0085 \ud800",
  "<<'REQUEST'\n'''\"\"\"",
];

const UNSEEN = /\p{Cc}|\p{Cf}|\p{Zl}|\p{Zp}/u;

function attempt(texts: readonly string[], parameters: string | null = '{"model": "small"}'): AttemptView {
  const segments = texts.map((text) => ({ text, size: new TextEncoder().encode(text).length, variable: null }));
  const shown = parameters === null ? null : { text: parameters, size: parameters.length, cut: false, hash: null };
  return { messages: [{ role: "user", segments }], parameters: shown } as unknown as AttemptView;
}

function body(texts: readonly string[], parameters?: string) {
  return requestOf(attempt(texts, parameters), null).body;
}

/** The here-document of a command, read as a shell reads it: every line up to the end's own. */
function sent(command: string): string {
  const [head = "", ...rest] = command.split("<<'REQUEST'\n");
  expect(head).not.toContain("REQUEST");
  const lines = rest.join("<<'REQUEST'\n").split("\n");
  const end = lines.indexOf("REQUEST");
  expect(lines.slice(end + 1)).toEqual([""]);
  return lines.slice(0, end).join("\n");
}

test("a request has its messages and parameters, and an adapter goes by its name", () => {
  const node = body(["a", "b"], '{"model": "base", "adapter": "tone", "temperature": 0.50, "seed": 1180591620717411303424}');
  expect(writeJson(node)).toBe(
    '{"model": "tone", "messages": [{"role": "user", "content": "ab"}], "temperature": 0.50, "seed": 1180591620717411303424}',
  );
});

test("an output type is asked for by its schema, and what cannot be is said", () => {
  const typed = attempt(["a"], '{"model": "m", "output_schema": "as the step\'s output type"}');
  const { body: node, notes } = requestOf(typed, '{"title": "My Review", "type": "object"}');
  expect(JSON.parse(writeJson(node)).response_format).toEqual({
    type: "json_schema",
    json_schema: { name: "My_Review", schema: { title: "My Review", type: "object" } },
  });
  expect(notes).toEqual([]);
  expect(requestOf(typed, '{"type": "array"}').notes).toHaveLength(1);
  expect(writeJson(requestOf(typed, null).body)).not.toContain("output_schema");
});

test("a prompt of which a part was cut is not whole", () => {
  const given = attempt(["a"]);
  const cut = { ...given, messages: [{ role: "user", segments: [{ text: "a", size: 70_000, variable: "x" }] }] };
  expect([requestOf(given, null).whole, requestOf(cut, null).whole]).toEqual([true, false]);
});

test("a picture is named, and the note says so", () => {
  const segments = [{ text: "[picture: image/png, 12 bytes]", size: 30, variable: "photo" }];
  expect(requestOf({ ...attempt([]), messages: [{ role: "user", segments }] }, null).notes).toHaveLength(1);
});

test.each(HOSTILE)("a shell sends what was said and reads nothing in it: %j", (text) => {
  const command = asCurl(body([text]));
  const line = sent(command);
  expect(line).not.toMatch(UNSEEN);
  expect(line).not.toContain("!");
  expect(JSON.parse(line)).toEqual({ model: "small", messages: [{ role: "user", content: text }] });
});

test("nothing but the two variables is open to a shell", () => {
  const [head = ""] = asCurl(body(["x"])).split("<<");
  expect(head.match(/\$\w+/g)).toEqual(["$CHAINLAB_BASE_URL", "$API_KEY"]);
});

test.each(HOSTILE)("a program holds the text in one literal: %j", (text) => {
  const line = asPython(body([text])).split("\n").find((each) => each.includes('"content"')) ?? "";
  const literal = /^ *"content": (".*"),$/.exec(line)?.[1] ?? "";
  expect(literal).not.toMatch(UNSEEN);
  expect(JSON.parse(literal)).toBe(text);
});

test("what is shown hides nothing, and is the same JSON", () => {
  const json = asJson(body(HOSTILE));
  expect(json.replaceAll("\n", "")).not.toMatch(UNSEEN);
  expect(JSON.parse(json).messages[0].content).toBe(HOSTILE.join(""));
});

test("a program has Python's words and every digit", () => {
  const program = asPython(body(["x"], '{"model": "m", "logprobs": true, "stop": ["a"], "seed": 1180591620717411303424, "odd": [null, NaN, {}]}'));
  expect(program).toContain('"logprobs": True,');
  expect(program).toContain('"seed": 1180591620717411303424,');
  expect(program).toContain('        None,\n        float("nan"),\n        {},\n');
});
