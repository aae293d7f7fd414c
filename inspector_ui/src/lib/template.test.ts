import { expect, test } from "vitest";
import { templateLines, templateParts } from "./template";

test("a template is cut into its kinds", () => {
  expect(templateParts("Hi {{ name }}{% if x %}\n{# why #}!").map((part) => part.kind)).toEqual([
    "text", "expression", "statement", "text", "comment", "text",
  ]);
});

test("joined, the parts are the template", () => {
  for (const template of ["", "plain", "{{", "}} {{ a", "{% raw %}{{ x }}{% endraw %}", "{{ '}' }}\n\n{#\n#}"]) {
    expect(templateParts(template).map((part) => part.text).join("")).toBe(template);
  }
});

test("lines keep the kind of a part that goes over several", () => {
  expect(templateLines("a {# b\nc #}\n")).toEqual([
    [{ kind: "text", text: "a " }, { kind: "comment", text: "{# b" }],
    [{ kind: "comment", text: "c #}" }],
    [],
  ]);
});
