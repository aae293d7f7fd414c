import { expect, test } from "vitest";
import { compareRoute, formatRoute, parseRoute, type Route, runRoute, runsRoute } from "./route";

const routes: Route[] = [
  runsRoute(),
  runsRoute({ status: "failed", chain: "a/b?c&d=é", text: "100% #1", tag: "a,b", order: "slowest", marked: "x,y" }),
  runRoute("01abc"),
  runRoute("a b/c", { view: "steps", step: "outer/rewrite[3]@2", tab: "prompt" }),
  runRoute("x", { step: "draft", mode: "replay" }),
  runRoute("x", { mode: "replay", on: "x,y,z" }),
  runRoute("x", { view: "timeline", step: "draft" }),
  runRoute("fork", { against: "parent" }),
  compareRoute("a1", "b1"),
  { ...compareRoute("a1", "b1", "note[2]@1"), only: "differing" },
];

test.each(routes)("a route written and read is the same: $name", (route) => {
  expect(parseRoute(formatRoute(route))).toEqual(route);
});

test("an unknown or empty hash is the list of runs", () => {
  for (const hash of ["", "#", "#/", "#/nowhere", "#/runs/", "#/compare", "#/compare?a=x"]) {
    expect(parseRoute(hash).name).toBe("runs");
  }
});

test("a step addressed as the command line writes it is read", () => {
  expect(parseRoute("#/runs/x1?step=summarise%5B3%5D")).toMatchObject({ id: "x1", step: "summarise[3]" });
});

test("an order that there is not is the newest first", () => {
  expect(parseRoute("#/runs?order=DROP")).toMatchObject({ order: "newest" });
});

test("a bad escape does not throw", () => {
  expect(parseRoute("#/runs/%E0%A4%A")).toMatchObject({ name: "run", id: "%E0%A4%A" });
});
