import { expect, test } from "vitest";
import { looksMarked } from "./looksMarked";
import { blocksOf } from "./markdown";

test("plain text is not offered a drawing, and marked text is", () => {
  for (const text of ["", "A plain sentence.", "2 * 3 * 4", "a_b_c"]) {
    expect(looksMarked(text)).toBe(false);
  }
  for (const text of ["# Title", "- one\n- two", "It is **bold**.", "1. first", "```\ncode\n```", "see [this](x)", "| a | b |"]) {
    expect(looksMarked(text)).toBe(true);
  }
  expect(looksMarked("# x".padEnd(300_000))).toBe(false);
});

test("blocks and what is in their lines", () => {
  expect(blocksOf("## A *title*\n\nText with `code`, **bold**\\* and ~~gone~~.\n\n---")).toEqual([
    { kind: "heading", level: 2, parts: [{ kind: "text", text: "A " }, { kind: "em", parts: [{ kind: "text", text: "title" }] }] },
    {
      kind: "paragraph",
      parts: [
        { kind: "text", text: "Text with " },
        { kind: "code", text: "code" },
        { kind: "text", text: ", " },
        { kind: "strong", parts: [{ kind: "text", text: "bold" }] },
        { kind: "text", text: "*" },
        { kind: "text", text: " and " },
        { kind: "del", parts: [{ kind: "text", text: "gone" }] },
        { kind: "text", text: "." },
      ],
    },
    { kind: "rule" },
  ]);
  expect(blocksOf("3. three\n4. four")).toMatchObject([{ kind: "list", start: 3, items: [[{ kind: "paragraph" }], [{ kind: "paragraph" }]] }]);
  expect(blocksOf("> said")).toMatchObject([{ kind: "quote", blocks: [{ kind: "paragraph" }] }]);
  expect(blocksOf("| a | b |\n|---|---|\n| 1 | 2 |")).toMatchObject([{ kind: "table", head: [[{ text: "a" }], [{ text: "b" }]], rows: [[[{ text: "1" }], [{ text: "2" }]]] }]);
});

test("HTML stays text, a picture is no picture, an address is only said", () => {
  expect(blocksOf("<img src=x onerror=hit()>")).toEqual([{ kind: "paragraph", parts: [{ kind: "text", text: "<img src=x onerror=hit()>" }] }]);
  expect(blocksOf("a <b>c</b>")).toMatchObject([{ parts: [{ text: "a " }, { kind: "text", text: "<b>" }, { text: "c" }, { kind: "text", text: "</b>" }] }]);
  expect(blocksOf("![a](http://x/p.png)")).toMatchObject([{ parts: [{ kind: "image", text: "a", href: "http://x/p.png" }] }]);
  expect(blocksOf("[a](javascript:hit())")).toMatchObject([{ parts: [{ kind: "link", href: "javascript:hit()" }] }]);
});
