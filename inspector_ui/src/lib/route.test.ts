import { expect, test } from "vitest";
import { formatRoute, parseRoute, type Route } from "./route";

const routes: Route[] = [
  { name: "runs", status: "", chain: "", text: "" },
  { name: "runs", status: "failed", chain: "a/b?c&d=é", text: "100% #1" },
  { name: "run", id: "01abc", view: "graph", step: "", tab: "" },
  { name: "run", id: "a b/c", view: "steps", step: "outer/rewrite[3]@2", tab: "prompt" },
];

test.each(routes)("a route written and read is the same: $name", (route) => {
  expect(parseRoute(formatRoute(route))).toEqual(route);
});

test("an unknown or empty hash is the list of runs", () => {
  for (const hash of ["", "#", "#/", "#/nowhere", "#/runs/"]) {
    expect(parseRoute(hash).name).toBe("runs");
  }
});

test("a step addressed as the command line writes it is read", () => {
  expect(parseRoute("#/runs/x1?step=summarise%5B3%5D")).toMatchObject({ id: "x1", step: "summarise[3]" });
});

test("a bad escape does not throw", () => {
  expect(parseRoute("#/runs/%E0%A4%A")).toMatchObject({ name: "run", id: "%E0%A4%A" });
});
