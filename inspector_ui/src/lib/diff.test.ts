import { expect, test } from "vitest";
import type { Chunk } from "../api/types";
import { diffLines, pathText } from "./diff";

function chunk(op: Chunk["op"], text: string, line_a: number | null, line_b: number | null): Chunk {
  return { op, spans: [{ text, changed: false }], line_a, line_b };
}

const lines = (from: number, to: number): string => Array.from({ length: to - from }, (_, i) => `line ${from + i}\n`).join("");

test("chunks become numbered lines; a line break at the end makes no empty one", () => {
  const found = diffLines([chunk("same", "a\nb\n", 1, 1), chunk("removed", "c", 3, null), chunk("added", "d\n\ne", null, 3)]);
  expect(found.map((line) => (line.kind === "line" ? [line.op, line.a, line.b, line.spans.map((span) => span.text).join("")] : []))).toEqual([
    ["same", 1, 1, "a"],
    ["same", 2, 2, "b"],
    ["removed", 3, null, "c"],
    ["added", null, 3, "d"],
    ["added", null, 4, ""],
    ["added", null, 5, "e"],
  ]);
});

test("marked words stay with their line", () => {
  const spans = [{ text: "to ", changed: false }, { text: "be\nor", changed: true }, { text: " not", changed: false }];
  const found = diffLines([{ op: "removed", spans, line_a: 1, line_b: null }]);
  expect(found).toMatchObject([
    { spans: [{ text: "to ", changed: false }, { text: "be", changed: true }] },
    { spans: [{ text: "or", changed: true }, { text: " not", changed: false }] },
  ]);
});

const drawn = (chunks: Chunk[]): string[] =>
  diffLines(chunks).map((line) => (line.kind === "line" ? `${line.op} ${line.a}/${line.b} ${line.spans.map((span) => span.text).join("")}` : "fold"));

test("a line to which only a line break was added is the same line", () => {
  expect(drawn([chunk("removed", "end", 3, null), chunk("added", "end\nmore", null, 3)])).toEqual(["same 3/3 end", "added null/4 more"]);
  expect(drawn([chunk("removed", "a\nb\n", 1, null), chunk("added", "c\nb\n", null, 1)])).toEqual([
    "removed 1/null a",
    "removed 2/null b",
    "added null/1 c",
    "added null/2 b",
  ]);
});

test("where a line break at the end is all that differs, it is drawn", () => {
  expect(drawn([chunk("removed", "end", 3, null), chunk("added", "end\n", null, 3)])).toEqual(["removed 3/null end", "added null/3 end↵"]);
});

test("long equal stretches are folded but for three lines beside a change, and open", () => {
  const chunks = [chunk("same", lines(0, 20), 1, 1), chunk("added", "new\n", null, 21), chunk("same", lines(20, 40), 21, 22)];
  const found = diffLines(chunks);
  expect(found.map((line) => (line.kind === "fold" ? line.hidden : line.b))).toEqual([17, 18, 19, 20, 21, 22, 23, 24, 17]);
  expect(diffLines(chunks, new Set([0, 2]))).toHaveLength(41);
});

test("a short equal stretch is not worth a fold", () => {
  expect(diffLines([chunk("added", "x\n", null, 1), chunk("same", lines(0, 9), 1, 2), chunk("added", "y", null, 11)])).toHaveLength(11);
});

test.each([
  [["issues", 0, "text"], "issues[0].text"],
  [[0, "a b", "c"], '[0]["a b"].c'],
  [[], ""],
  [null, ""],
] as const)("a path is written as authors write it: %j", (path, text) => {
  expect(pathText(path)).toBe(text);
});
