// What screens ask for. A hook is called, returns data, and the data stays current while the tab is visible.
import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { get } from "./client";
import type { RunPage, RunView, StepView } from "./types";

const POLL_MS = 2000;
const PAGE = 50;

export type RunFilters = { status: string; chain: string; text: string };

export function useRuns(filters: RunFilters) {
  return useInfiniteQuery({
    queryKey: ["runs", filters],
    queryFn: ({ pageParam, signal }) => get<RunPage>(`api/runs?${runsQuery(filters, pageParam)}`, signal),
    initialPageParam: "",
    getNextPageParam: (page) => page.next,
    refetchInterval: POLL_MS,
    placeholderData: (before) => before,
  });
}

export function useChains() {
  return useQuery({
    queryKey: ["chains"],
    queryFn: ({ signal }) => get<readonly string[]>("api/chains", signal),
    refetchInterval: 5 * POLL_MS,
  });
}

export function useRun(id: string) {
  return useQuery({
    queryKey: ["run", id],
    queryFn: ({ signal }) => get<RunView>(`api/runs/${encodeURIComponent(id)}`, signal),
    refetchInterval: POLL_MS,
  });
}

/** A step; `moving`: it may still change. */
export function useStep(id: string, path: string, moving: boolean) {
  return useQuery({
    queryKey: ["step", id, path, moving],
    queryFn: ({ signal }) => get<StepView>(`api/runs/${encodeURIComponent(id)}/steps/${stepPath(path)}`, signal),
    refetchInterval: moving ? POLL_MS : false,
    placeholderData: (before) => (before?.path === path ? before : undefined),
  });
}

function runsQuery(filters: RunFilters, after: string): string {
  const query = new URLSearchParams({ limit: String(PAGE) });
  for (const [name, value] of Object.entries({ ...filters, after })) {
    if (value) {
      query.set(name, value);
    }
  }
  return query.toString();
}

function stepPath(path: string): string {
  return path.split("/").map(encodeURIComponent).join("/");
}
