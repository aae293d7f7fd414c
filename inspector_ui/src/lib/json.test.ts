import { expect, test } from "vitest";
import { parseJson, prettyJson } from "./json";

const pretty = (text: string): string | null => {
  const node = parseJson(text);
  return node && prettyJson(node);
};

test("ordinary JSON is laid out as JSON.stringify does", () => {
  const value = { a: [1, "two", null, true, {}], "b c": { d: [] }, e: 'quote " and \\ and \n' };
  expect(pretty(JSON.stringify(value))).toBe(JSON.stringify(value, null, 2));
});

test("digits that JavaScript cannot hold are kept", () => {
  for (const number of ["1180591620717411303424", "0.1000000000000000055511151231257827", "-1e400", "NaN", "-Infinity"]) {
    expect(pretty(`[${number}]`)).toBe(`[\n  ${number}\n]`);
  }
});

test("keys keep their order and repeats, and name no prototype", () => {
  const node = parseJson('{"b":1,"2":2,"1":3,"b":4,"__proto__":{"polluted":true}}');
  expect(node?.kind === "object" && node.entries.map(([key]) => key)).toEqual(["b", "2", "1", "b", "__proto__"]);
  expect(({} as Record<string, unknown>)["polluted"]).toBeUndefined();
});

test("text that is not JSON gives null", () => {
  for (const text of ["", "{", '{"a":1', "[1,]", "[1] 2", '"open', "tru", "{a:1}", '"\\x"', "[1 2]"]) {
    expect(parseJson(text), text).toBeNull();
  }
});

test("lone surrogates and NUL are read", () => {
  expect(parseJson('"\\ud800\\u0000x"')).toEqual({ kind: "string", value: "\ud800\u0000x" });
});

test("absurd depth gives null and does not overflow", () => {
  expect(parseJson("[".repeat(100_000))).toBeNull();
});
