// Whether the page is as narrow as a telephone: the same bound as in the styles.
import { useSyncExternalStore } from "react";

const narrow = window.matchMedia("(max-width: 860px)");

function subscribe(changed: () => void): () => void {
  narrow.addEventListener("change", changed);
  return () => narrow.removeEventListener("change", changed);
}

export function useNarrow(): boolean {
  return useSyncExternalStore(subscribe, () => narrow.matches);
}
