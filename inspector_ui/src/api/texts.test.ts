import { expect, test } from "vitest";
import { Texts } from "./texts";
import type { Written } from "./types";

function piece(text: string, at = 0, n = 1, path = "draft"): Written {
  return { run: "r", path, n, at, text };
}

test("pieces are put together in their places", () => {
  const texts = new Texts();
  expect([texts.add(piece("Hello ")), texts.add(piece("world", 6))]).toEqual([true, true]);
  expect(texts.get("r", "draft")).toEqual({ n: 1, text: "Hello world" });
});

test("a piece that comes twice, and the whole text told again, change nothing; a longer one does", () => {
  const texts = new Texts();
  texts.add(piece("Hello "));
  texts.add(piece("world", 6));
  expect([texts.add(piece("world", 6)), texts.add(piece("Hello world"))]).toEqual([false, false]);
  expect(texts.add(piece("Hello world!"))).toBe(true);
  expect(texts.get("r", "draft")?.text).toBe("Hello world!");
});

test("a piece whose beginning is missing is not shown", () => {
  const texts = new Texts();
  expect(texts.add(piece("world", 6))).toBe(false);
  expect(texts.get("r", "draft")).toBeUndefined();
});

test("another try takes the place of the one before", () => {
  const texts = new Texts();
  texts.add(piece("wrong"));
  texts.add(piece("right", 0, 2));
  expect(texts.add(piece("wronger"))).toBe(false);
  expect(texts.get("r", "draft")).toEqual({ n: 2, text: "right" });
});

test("all that is known can be told on, and the oldest is forgotten", () => {
  const texts = new Texts();
  for (let i = 0; i < 100; i += 1) {
    texts.add(piece("x", 0, 1, `each[${i}]`));
  }
  const all = texts.all();
  expect(all).toHaveLength(64);
  expect(all.at(-1)).toEqual(piece("x", 0, 1, "each[99]"));
  expect(texts.get("r", "each[0]")).toBeUndefined();
});
