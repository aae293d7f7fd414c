// The URL is the state: hash URLs read and written. Pure.

export type RunsRoute = { name: "runs"; status: string; chain: string; text: string };
export type RunRoute = { name: "run"; id: string; view: "graph" | "steps"; step: string; tab: string };
export type Route = RunsRoute | RunRoute;

export function parseRoute(hash: string): Route {
  const [path = "", query = ""] = hash.replace(/^#/, "").split("?", 2);
  const params = new URLSearchParams(query);
  const given = (name: string): string => params.get(name) ?? "";
  const [, first, id] = path.split("/");
  if (first === "runs" && id) {
    const view = given("view") === "steps" ? "steps" : "graph";
    return { name: "run", id: decoded(id), view, step: given("step"), tab: given("tab") };
  }
  return { name: "runs", status: given("status"), chain: given("chain"), text: given("text") };
}

export function formatRoute(route: Route): string {
  const { name: _, ...rest } = route;
  const params = new URLSearchParams();
  for (const [key, value] of Object.entries(rest)) {
    const isDefault = value === "" || (key === "view" && value === "graph");
    if (key !== "id" && !isDefault) {
      params.set(key, value);
    }
  }
  const path = route.name === "run" ? `#/runs/${encodeURIComponent(route.id)}` : "#/runs";
  const query = params.toString();
  return query ? `${path}?${query}` : path;
}

function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part; // a bad escape: no such run, which the page will say
  }
}
