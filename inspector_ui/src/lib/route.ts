// The URL is the state: hash URLs read and written. Pure.

export const ORDERS = ["newest", "oldest", "slowest", "tokens", "cost"] as const;
export type Order = (typeof ORDERS)[number];

/** `marked`: ids of runs that are chosen, to be compared or to have an edit tried on them, with commas between. */
export type RunsRoute = {
  name: "runs";
  status: string;
  chain: string;
  text: string;
  tag: string;
  order: Order;
  marked: string;
};

/**
 * `mode` "replay": the step is being edited; `on`: ids of the runs that the edit is meant for, with commas between.
 * `against`: the run to compare this one with as soon as it ends.
 */
export type RunRoute = {
  name: "run";
  id: string;
  view: "graph" | "timeline" | "steps";
  step: string;
  tab: string;
  mode: "" | "replay";
  on: string;
  against: string;
};

/** `only` "differing": steps that are the same are left out. `pane` "keep": what keeping b takes. */
export type CompareRoute = {
  name: "compare";
  a: string;
  b: string;
  step: string;
  only: "" | "differing";
  pane: "" | "keep";
};

/** `show`: only runs with this verdict. */
export type BatchRoute = { name: "batch"; id: string; show: string };
export type BatchesRoute = { name: "batches" };
export type Route = RunsRoute | RunRoute | CompareRoute | BatchesRoute | BatchRoute;

export function parseRoute(hash: string): Route {
  const [path = "", query = ""] = hash.replace(/^#/, "").split("?", 2);
  const params = new URLSearchParams(query);
  const given = (name: string): string => params.get(name) ?? "";
  const [, first, id] = path.split("/");
  if (first === "runs" && id) {
    return runRoute(decoded(id), {
      view: viewOf(given("view")),
      step: given("step"),
      tab: given("tab"),
      mode: given("mode") === "replay" ? "replay" : "",
      on: given("on"),
      against: given("against"),
    });
  }
  if (first === "compare" && given("a") && given("b")) {
    const only = given("only") === "differing" ? "differing" : "";
    const pane = given("pane") === "keep" ? "keep" : "";
    return { name: "compare", a: given("a"), b: given("b"), step: given("step"), only, pane };
  }
  if (first === "batches") {
    return id ? batchRoute(decoded(id), given("show")) : { name: "batches" };
  }
  return runsRoute({
    status: given("status"),
    chain: given("chain"),
    text: given("text"),
    tag: given("tag"),
    order: ORDERS.find((order) => order === given("order")) ?? "newest",
    marked: given("marked"),
  });
}

export function runsRoute(rest: Partial<Omit<RunsRoute, "name">> = {}): RunsRoute {
  return { name: "runs", status: "", chain: "", text: "", tag: "", order: "newest", marked: "", ...rest };
}

export function runRoute(id: string, rest: Partial<Omit<RunRoute, "name" | "id">> = {}): RunRoute {
  return { name: "run", id, view: "graph", step: "", tab: "", mode: "", on: "", against: "", ...rest };
}

export function compareRoute(a: string, b: string, step = ""): CompareRoute {
  return { name: "compare", a, b, step, only: "", pane: "" };
}

export function batchRoute(id: string, show = ""): BatchRoute {
  return { name: "batch", id, show };
}

const DEFAULTS: Record<string, string> = { view: "graph", order: "newest" };

export function formatRoute(route: Route): string {
  const { name: _, ...rest } = route;
  const params = new URLSearchParams();
  for (const [key, value] of Object.entries(rest)) {
    const isDefault = value === "" || DEFAULTS[key] === value;
    if (key !== "id" && !isDefault) {
      params.set(key, value);
    }
  }
  const path = PATHS[route.name] + ("id" in route ? `/${encodeURIComponent(route.id)}` : "");
  const query = params.toString();
  return query ? `${path}?${query}` : path;
}

const PATHS: Record<Route["name"], string> = {
  runs: "#/runs",
  run: "#/runs",
  compare: "#/compare",
  batches: "#/batches",
  batch: "#/batches",
};

function viewOf(name: string): RunRoute["view"] {
  return name === "timeline" || name === "steps" ? name : "graph";
}

function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part; // a bad escape: no such run, which the page will say
  }
}
