import { expect, test } from "vitest";
import { templateParts } from "./template";

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
