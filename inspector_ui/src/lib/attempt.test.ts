import { expect, test } from "vitest";
import type { AttemptView } from "../api/types";
import { asked, finished, load, servedAs } from "./attempt";

function attempt(part: Partial<AttemptView>): AttemptView {
  return { backend: "vllm", model: null, base: null, adapter: null, served_model: null, ...part } as AttemptView;
}

test("who was asked is written as in a program", () => {
  expect(asked(attempt({ model: "small" }))).toBe("vllm:small");
  expect(asked(attempt({ model: "small", base: "small", adapter: "tone" }))).toBe("vllm:small+tone");
  expect(asked(attempt({ backend: null }))).toBe("");
});

test("what serves is told where it is something else", () => {
  expect(servedAs(attempt({ model: "small", served_model: "small" }))).toBeNull();
  expect(servedAs(attempt({ model: "small", served_model: "small-2026-01" }))).toBe("small-2026-01");
  expect(servedAs(attempt({ model: "small", adapter: "tone", served_model: "tone" }))).toBeNull();
  expect(servedAs(attempt({ model: "small" }))).toBeNull();
});

test("a reply that was cut says so", () => {
  expect([finished("stop"), finished("length")]).toEqual(["stop", "length: cut at the token limit"]);
});

test("a backend's load is told in words, what is unknown by its name", () => {
  expect(load({ running: 3, waiting: 0, kv_cache: 0.412, "odd:name": 1.5 })).toBe("3 running, 0 waiting, cache 41 %, odd:name 1.5");
});
