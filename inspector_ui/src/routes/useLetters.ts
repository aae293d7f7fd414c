// Keys that are letters: off while something is typed, with a modifier, and below an open dialog.
import { useEffect, useEffectEvent } from "react";

/** `act` says whether it had a use for the key. */
export function useLetters(act: (key: string) => boolean): void {
  const pressed = useEffectEvent((event: KeyboardEvent): void => {
    const target = event.target instanceof HTMLElement ? event.target : null;
    const typing = target?.closest("input, select, textarea");
    if (event.ctrlKey || event.metaKey || event.altKey || typing || document.querySelector("dialog[open]")) {
      return;
    }
    if (act(event.key)) {
      event.preventDefault();
    }
  });
  useEffect(() => {
    window.addEventListener("keydown", pressed);
    return () => window.removeEventListener("keydown", pressed);
  }, []);
}
