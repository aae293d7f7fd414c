// The draft of one step's edit, kept in this tab until it is discarded: closing the editor loses nothing.
import { useCallback, useState } from "react";
import { type Base, type Draft, emptyDraft, isEmpty, parseDraft } from "../lib/draft";

type Kept = { draft: Draft; change: (part: Partial<Draft>) => void; discard: () => void; restored: boolean };

export function useDraft(runId: string, base: Base): Kept {
  const key = `chainlab.draft.${runId}.${base.path}`;
  const [stored] = useState(() => parseDraft(read(key), base));
  const [draft, setDraft] = useState(stored ?? emptyDraft(base));
  const [restored, setRestored] = useState(stored !== null);
  const change = useCallback(
    (part: Partial<Draft>) => {
      setDraft((before) => {
        const after = { ...before, ...part };
        write(key, isEmpty(after, base) ? null : JSON.stringify(after));
        return after;
      });
    },
    [key, base],
  );
  const discard = useCallback(() => {
    write(key, null);
    setDraft(emptyDraft(base));
    setRestored(false);
  }, [key, base]);
  return { draft, change, discard, restored };
}

function read(key: string): string | null {
  try {
    return sessionStorage.getItem(key);
  } catch {
    return null; // storage may be off; the draft then lasts as long as the editor
  }
}

function write(key: string, text: string | null): void {
  try {
    if (text === null) {
      sessionStorage.removeItem(key);
    } else {
      sessionStorage.setItem(key, text);
    }
  } catch {
    // as above, or full
  }
}
