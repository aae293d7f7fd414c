import { expect, test } from "vitest";
import type { Input } from "../api/types";
import { originText, variableText } from "./origin";

function input(name: string, from_path: string | null, from_field: string | null = null): Input {
  return { name, from_path, from_field, value: { text: "x", size: 1, cut: false, hash: null } } as unknown as Input;
}

test("where an input came from", () => {
  expect(originText(input("a", null))).toBe("constant");
  expect(originText(input("a", "$input", "text"))).toBe("from the run's input text");
  expect(originText(input("a", "$input"))).toBe("from the run's input");
  expect(originText(input("a", "extract", "topics"))).toBe("from extract.topics");
  expect(originText(input("a", "extract", "[2]"))).toBe("from extract[2]");
  expect(originText(input("a", "extract"))).toBe("from extract");
});

test("a printed part belongs to its input", () => {
  const inputs = [input("s", "extract", "[0]"), input("text", "$input", "text")];
  expect(variableText("text", inputs)).toBe("{{ text }} from the run's input text");
  expect(variableText("s.title[:40]", inputs)).toBe("{{ s.title[:40] }} from extract[0]");
  expect(variableText("loop.index", inputs)).toBe("{{ loop.index }}");
});
