import { expect, test } from "vitest";
import { matching, type Offer } from "./palette";

const OFFERS: readonly Offer[] = [
  { label: "Runs", hint: "screen", go: "#/runs" },
  { label: "Failed runs", hint: "of every chain", go: "#/runs?status=failed" },
  { label: "unruly", hint: "chain", go: "#/runs?chain=unruly" },
];

test("without words everything is offered, in its order", () => {
  expect(matching(OFFERS, "  ")).toEqual(OFFERS);
});

test("a word's beginning goes before its middle", () => {
  expect(matching(OFFERS, "run").map((offer) => offer.label)).toEqual(["Runs", "Failed runs"]);
  expect(matching(OFFERS, "ru").map((offer) => offer.label)).toEqual(["Runs", "Failed runs", "unruly"]);
});

test("every word must be there, and signs of patterns are only signs", () => {
  expect(matching(OFFERS, "failed chain").map((offer) => offer.label)).toEqual(["Failed runs"]);
  expect(matching(OFFERS, "(.*")).toEqual([]);
  expect(matching(OFFERS, "a-b/c")).toEqual([]);
});
