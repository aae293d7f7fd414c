import { expect, test } from "vitest";
import { placesOf } from "./place";

const HEAD = "the reply does not fit the type: ";

function marked(problem: string, reply: string): string[] {
  return placesOf(`${HEAD}${problem}\n  expected  Review`, reply).map(({ from, to }) => reply.slice(from, to));
}

test("a value that does not fit is found by its path", () => {
  const reply = '{"score": "high", "items": [{"n": 1}, {"n": "tw\\"o]"}], "empty": {}}';
  expect(marked("score: Input should be a valid integer", reply)).toEqual(['"high"']);
  expect(marked("items[1].n: Input should be a valid integer", reply)).toEqual(['"tw\\"o]"']);
  expect(marked("items[0]: bad; score: bad", reply)).toEqual(['"high"', '{"n": 1}']);
});

test("a missing field is marked where it should be", () => {
  expect(marked("items[0].name: Field required", '{"items": [{"n": 1}]}')).toEqual(["{"]);
  expect(placesOf(`${HEAD}issues: Field required`, ' {"n": 1}')).toEqual([{ from: 1, to: 2 }]);
});

test("where JSON could not be read is marked, also after characters of two halves", () => {
  expect(marked("not JSON: Expecting value: line 1 column 1 (char 0)", "Sure! Here it is")).toEqual(["Sure!"]);
  expect(marked("not JSON: Expecting ',' delimiter: line 1 column 9 (char 8)", '{"😀": 1 x}')).toEqual(["x}"]);
  expect(marked("not JSON: Expecting value: line 1 column 6 (char 5)", '{"a":')).toEqual([":"]);
});

test("places in a fenced reply are counted from its inside", () => {
  expect(marked("score: bad", '```json\n{"score": 1}\n```')).toEqual(["1"]);
  expect(marked("not JSON: Expecting value: line 1 column 6 (char 5)", '```\n{"a":x}\n```')).toEqual(["x}"]);
});

test.each([
  ["nowhere: bad", '{"a": 1}'],
  ["a.b: bad", '{"a": 1}'],
  ["bad without a place", '{"a": 1}'],
  ["a: bad", "no json at all"],
  ["a: bad", '{"a'],
  ["a: bad", "{{{{"],
  ["not JSON: Expecting value: line 1 column 1 (char 0)", ""],
])("%s in %s is not guessed at", (problem, reply) => {
  expect(marked(problem, reply)).toEqual([]);
});

test("an error of another kind names no place", () => {
  expect(placesOf("the server said: a: b", '{"a": 1}')).toEqual([]);
});
