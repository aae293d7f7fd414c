import { expect, test } from "vitest";
import type { StepView } from "../api/types";
import { asked, baseOf, editText, emptyDraft, isEmpty, ownProblem, parseDraft } from "./draft";

function step(part: object = {}): StepView {
  return {
    path: "note[2]",
    row: { kind: "prompt", status: "failed" },
    inputs: [],
    output: null,
    attempts: [],
    definition: {
      kind: "prompt",
      templates: [
        { role: "system", template: "Be brief.", place: null },
        { role: "user", template: "Sum up {{ text }}", place: null },
      ],
      settings: [
        { name: "model", value: "small" },
        { name: "temperature", value: "0.7" },
      ],
      arguments: [],
      output_schema: '{"type": "string"}',
    },
    ...part,
  } as unknown as StepView;
}

const base = baseOf(step());

test("a step says its template, system message and settings", () => {
  expect(base).toMatchObject({ template: "Sum up {{ text }}", system: "Be brief.", model: "small", temperature: "0.7", seed: "" });
});

test("an untouched draft makes no edit", () => {
  expect(editText(emptyDraft(base), base)).toBeNull();
  expect(isEmpty(emptyDraft(base), base)).toBe(true);
  expect(editText({ ...emptyDraft(base), template: base.template, system: "Be brief." }, base)).toBeNull();
});

test("an edit says what differs and no more; of one item, unless all are meant", () => {
  const draft = { ...emptyDraft(base), template: "New", temperature: " 0.0 ", seed: "7", maxTokens: "500", model: "big" };
  expect(JSON.parse(editText(draft, base) ?? "")).toEqual({ step: "note[2]", template: "New", model: "big", temperature: 0, max_tokens: 500, seed: 7 });
  expect(JSON.parse(editText({ ...draft, whole: true }, base) ?? "")).toMatchObject({ step: "note" });
});

test("an output keeps every digit, and text is sent as text", () => {
  const json = baseOf(step({ definition: null }));
  const big = '{"n": 1180591620717411303424}';
  expect(editText({ ...emptyDraft(json), what: "output", output: big }, json)).toBe(`{"step":"note[2]","output":${big}}`);
  expect(editText({ ...emptyDraft(base), what: "output", output: 'a "b"' }, base)).toBe('{"step":"note[2]","output":"a \\"b\\""}');
});

test("the recorded output is what an output is edited from", () => {
  const output = { text: '"two\\nlines"', size: 12, cut: false, hash: null };
  expect(baseOf(step({ output })).output).toBe("two\nlines");
  expect(baseOf(step({ output: { ...output, text: '{"a":1}' }, definition: null })).output).toBe('{\n  "a": 1\n}');
});

test("without one, it is edited from what the model wrote last", () => {
  const attempts = [{ reply: { text: "first" } }, { reply: { text: '{"score": "high"}' } }];
  expect(baseOf(step({ attempts })).output).toBe('{"score": "high"}');
  expect(baseOf(step()).output).toBe("");
});

test("a step that is no prompt has its output set by hand", () => {
  expect(emptyDraft(baseOf(step({ row: { kind: "code" } }))).what).toBe("output");
});

test("what the page can tell is wrong is told", () => {
  const draft = emptyDraft(base);
  expect(ownProblem(draft, base)).toBeNull();
  expect(ownProblem({ ...draft, temperature: "hot" }, base)).toContain("temperature");
  expect(ownProblem({ ...draft, maxTokens: "0" }, base)).toContain("tokens");
  expect(ownProblem({ ...draft, seed: "1.5" }, base)).toContain("seed");
  expect(ownProblem({ ...draft, what: "output", output: "{" }, baseOf(step({ definition: null })))).toContain("JSON");
  expect(ownProblem({ ...draft, what: "output", output: "{" }, base)).toBeNull();
});

test("a request is JSON", () => {
  const draft = { ...emptyDraft(base), template: "x", onDrift: "reuse" as const };
  expect(JSON.parse(asked(draft, editText(draft, base), '"step":"note[2]"'))).toEqual({
    edits: [{ step: "note[2]", template: "x" }],
    scope: "descendants",
    on_drift: "reuse",
    on_effects: "refuse",
    step: "note[2]",
  });
});

test("a stored draft is read again; another version's, or no JSON, is none", () => {
  const draft = { ...emptyDraft(base), template: "kept" };
  expect(parseDraft(JSON.stringify(draft), base)).toEqual(draft);
  for (const text of [null, "", "{", "null", "[]", '{"template": "x"}']) {
    expect(parseDraft(text, base)).toBeNull();
  }
});
