// The current route, and the one way to change it: the URL.
import { useCallback, useSyncExternalStore } from "react";
import { formatRoute, parseRoute, type Route } from "../lib/route";

function subscribe(changed: () => void): () => void {
  window.addEventListener("hashchange", changed);
  return () => window.removeEventListener("hashchange", changed);
}

export function useRoute(): Route {
  const hash = useSyncExternalStore(subscribe, () => window.location.hash);
  return parseRoute(hash);
}

/** `replace`: without a new entry in the history, for typing and moving the selection. */
export function useGo(): (route: Route, replace?: boolean) => void {
  return useCallback((route: Route, replace = false) => {
    const hash = formatRoute(route);
    if (replace) {
      window.history.replaceState(null, "", hash);
      window.dispatchEvent(new HashChangeEvent("hashchange"));
    } else {
      window.location.hash = hash;
    }
  }, []);
}
