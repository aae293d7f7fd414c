// What screens ask for. A hook is called, returns data, and the data stays current while the tab is visible: what has
// changed is asked for again (live.ts).
import { useInfiniteQuery, useQuery, useQueryClient } from "@tanstack/react-query";
import { get, post } from "./client";
import { useAskAgain } from "./live";
import type { Begun, Comparison, Health, ModelName, Preview, RunPage, RunSummary, RunView, StepView } from "./types";

const PAGE = 50;

export type RunFilters = { status: string; chain: string; text: string; tag: string; order: string };

export function useRuns(filters: RunFilters) {
  return useInfiniteQuery({
    queryKey: ["runs", filters],
    queryFn: ({ pageParam, signal }) => get<RunPage>(`api/runs?${runsQuery(filters, pageParam)}`, signal),
    initialPageParam: "",
    getNextPageParam: (page) => page.next,
    refetchInterval: useAskAgain(),
    placeholderData: (before) => before,
  });
}

export function useChains() {
  return useQuery({
    queryKey: ["chains"],
    queryFn: ({ signal }) => get<readonly string[]>("api/chains", signal),
    refetchInterval: useAskAgain(),
  });
}

export function useRun(id: string) {
  return useQuery({
    queryKey: ["run", id],
    queryFn: ({ signal }) => get<RunView>(`api/runs/${encodeURIComponent(id)}`, signal),
    refetchInterval: useAskAgain(),
  });
}

const FORKS_AMONG = 200;

/** The replays of a run among the newest runs of its chain. */
export function useForks(id: string, chain: string) {
  return useQuery({
    queryKey: ["forks", chain],
    queryFn: ({ signal }) =>
      get<RunPage>(`api/runs?${new URLSearchParams({ chain, limit: String(FORKS_AMONG) })}`, signal),
    refetchInterval: useAskAgain(),
    select: (page): RunSummary[] => page.runs.filter((run) => run.parent_run_id === id),
  });
}

/** Whether this server carries out replays; undefined until it said so. */
export function useReplays(): boolean | undefined {
  const query = useQuery({
    queryKey: ["replays"],
    queryFn: ({ signal }) => get<Health>("api/health", signal),
    staleTime: Number.POSITIVE_INFINITY,
    select: (health) => health.replays,
  });
  return query.data;
}

export function useModels() {
  return useQuery({
    queryKey: ["models"],
    queryFn: ({ signal }) => get<readonly ModelName[]>("api/models", signal),
    staleTime: 60_000,
  });
}

/** What an edit would do. `body` is the request. */
function previewQuery(id: string, body: string) {
  return {
    queryKey: ["preview", id, body],
    queryFn: ({ signal }: { signal: AbortSignal }) =>
      post<Preview>(`api/runs/${encodeURIComponent(id)}/preview`, body, signal),
    staleTime: 30_000,
  };
}

/** The same while it is typed: what was known before stays until the answer comes. Null: nothing to ask at the moment. */
export function usePreview(id: string, body: string | null) {
  return useQuery({ ...previewQuery(id, body ?? ""), enabled: body !== null, placeholderData: (before: Preview | undefined) => before });
}

/** The same, once: for a replay that is begun faster than its preview came. */
export function useAskPreview(): (id: string, body: string) => Promise<Preview> {
  const client = useQueryClient();
  return (id, body) => client.fetchQuery(previewQuery(id, body));
}

/** Begin a replay. */
export function beginReplay(id: string, body: string): Promise<Begun> {
  return post<Begun>(`api/runs/${encodeURIComponent(id)}/replay`, body);
}

/** Two runs side by side, one step in full. */
export function useComparison(a: string, b: string, step: string) {
  return useQuery({
    queryKey: ["compare", a, b, step],
    queryFn: ({ signal }) =>
      get<Comparison>(`api/compare?${new URLSearchParams({ a, b, ...(step ? { step } : {}) })}`, signal),
    refetchInterval: useAskAgain(),
    placeholderData: (before) => (before?.a.id === a && before.b.id === b ? before : undefined),
  });
}

/** A step; `moving`: it may still change. */
export function useStep(id: string, path: string, moving: boolean) {
  const askAgain = useAskAgain();
  return useQuery({
    queryKey: ["step", id, path, moving],
    queryFn: ({ signal }) => get<StepView>(`api/runs/${encodeURIComponent(id)}/steps/${stepPath(path)}`, signal),
    refetchInterval: moving ? askAgain : false,
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
