// Keeping a fork: what it takes in the author's files, and doing it.
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { get, post } from "../api/client";
import type { Keep } from "../api/types";
import { newKey } from "../replay/key";

function path(id: string): string {
  return `api/runs/${encodeURIComponent(id)}/keep`;
}

/** What keeping a fork takes. Files are read anew each time: somebody may have edited them meanwhile. */
export function useKeep(id: string, enabled: boolean) {
  return useQuery({
    queryKey: ["keep", id],
    queryFn: ({ signal }) => get<Keep>(path(id), signal),
    enabled,
    refetchOnWindowFocus: true,
  });
}

/** Accept a fork; with `apply`, its patches are written first. */
export function useKeepIt(id: string) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (apply: boolean) => post<Keep>(path(id), `{"apply":${apply},"idempotency_key":"${newKey()}"}`),
    onSuccess: (kept) => {
      client.setQueryData(["keep", id], kept);
      for (const key of ["compare", "run", "runs", "forks"]) {
        client.invalidateQueries({ queryKey: [key] });
      }
      client.invalidateQueries({ queryKey: ["keep", id] }); // the answer is from before its patches were written
    },
  });
}
