// Batches: listed, looked at, previewed, begun, cancelled, gone on with.
import { useInfiniteQuery, useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { get, post } from "../api/client";
import { useAskAgain } from "../api/live";
import type { BatchBegun, BatchPage, BatchPreview, BatchView } from "../api/types";
import { newKey } from "../replay/key";

export function useBatches() {
  return useInfiniteQuery({
    queryKey: ["batches"],
    queryFn: ({ pageParam, signal }) => get<BatchPage>(`api/batches?${new URLSearchParams({ limit: "50", ...(pageParam ? { after: pageParam } : {}) })}`, signal),
    initialPageParam: "",
    getNextPageParam: (page) => page.next,
    refetchInterval: useAskAgain(),
  });
}

export function useBatch(id: string) {
  return useQuery({
    queryKey: ["batch", id],
    queryFn: ({ signal }) => get<BatchView>(`api/batches/${encodeURIComponent(id)}`, signal),
    refetchInterval: useAskAgain(),
  });
}

/** What a batch would do; `body` is the request, null for none. */
export function useBatchPreview(body: string | null) {
  return useQuery({
    queryKey: ["batch-preview", body],
    queryFn: ({ signal }) => post<BatchPreview>("api/batches/preview", body ?? "", signal),
    enabled: body !== null,
    staleTime: 30_000,
  });
}

/** Begin a batch. `body`: the request without its key. */
export function beginBatch(body: string): Promise<BatchBegun> {
  return post<BatchBegun>("api/batches", body.replace(/\}$/, `,"idempotency_key":"${newKey()}"}`));
}

function useChange(id: string, what: "cancel" | "resume") {
  const client = useQueryClient();
  return useMutation({
    mutationFn: () =>
      post<unknown>(`api/batches/${encodeURIComponent(id)}/${what}`, what === "cancel" ? "{}" : `{"idempotency_key":"${newKey()}"}`),
    onSettled: () => {
      client.invalidateQueries({ queryKey: ["batch", id] });
      client.invalidateQueries({ queryKey: ["batches"] });
    },
  });
}

export function useCancelBatch(id: string) {
  return useChange(id, "cancel");
}

export function useResumeBatch(id: string) {
  return useChange(id, "resume");
}
