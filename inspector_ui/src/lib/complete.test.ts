import { expect, test } from "vitest";
import { completionAt, resolve, typeName, type Variable } from "./complete";
import { parseJson } from "./json";

const variables: Variable[] = [
  { name: "ticket", node: parseJson('{"subject": "x", "lines": [{"price": 1.5, "a b": 1}], "urgent": true}') },
  { name: "text", node: parseJson('"long"') },
  { name: "cut", node: null },
];

/** Completes at the broken bar. */
function at(template: string): string[] {
  const caret = template.indexOf("¦");
  const found = completionAt(template.replace("¦", ""), caret, variables);
  return (found?.options ?? []).map((option) => option.text);
}

test("names are offered inside expressions and statements, and nowhere else", () => {
  expect(at("{{ ¦")).toEqual(["ticket", "text", "cut"]);
  expect(at("{% if ¦")).toEqual(["ticket", "text", "cut"]);
  expect(at("plain te¦")).toEqual([]);
  expect(at("{{ text }} te¦")).toEqual([]);
});

test("what is typed narrows them, and a whole word is not offered again", () => {
  expect(at("{{ te¦")).toEqual(["text"]);
  expect(at("{{ text¦")).toEqual([]);
});

test("after a dot the fields of the value are offered, those only that a template can name", () => {
  expect(at("{{ ticket.¦")).toEqual(["subject", "lines", "urgent"]);
  expect(at("{{ ticket.lines[0].¦")).toEqual(["price"]);
  expect(at("{{ text.¦")).toEqual([]);
  expect(at("{{ cut.¦")).toEqual([]);
});

test("the variable of a loop has the fields of an item", () => {
  expect(at("{% for line in ticket.lines %}{{ line.¦")).toEqual(["price"]);
  expect(at("{% for line in ticket.lines %}{{ li¦")).toEqual(["line"]);
});

test("nothing is offered inside of quotes", () => {
  expect(at('{{ text | default("te¦')).toEqual([]);
  expect(at('{{ text | default("x") ~ te¦')).toEqual(["text"]);
});

test("an option replaces the word that was begun", () => {
  expect(completionAt("{{ ticket.su", 12, variables)).toEqual({ from: 10, options: [{ text: "subject", type: "str" }] });
});

test("paths are followed, also where they lead nowhere", () => {
  expect(resolve("ticket.lines[0].price", variables)).toEqual({ kind: "literal", text: "1.5" });
  expect(resolve("ticket.nothing.at.all", variables)).toBeNull();
});

test.each([
  ["1", "int"],
  ["1.0", "float"],
  ["true", "bool"],
  ["null", "None"],
  ['"x"', "str"],
  ["[]", "list"],
  ['["x"]', "list[str]"],
  ["{}", "object"],
])("the type of %s is %s", (json, name) => {
  expect(typeName(parseJson(json))).toBe(name);
});
