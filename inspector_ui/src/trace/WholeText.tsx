// Plain text, or its beginning with the way to all of it.
import { useMemo, useState } from "react";
import { getPayload, payloadPath } from "../api/client";
import type { Text } from "../api/types";
import { bytes } from "../lib/format";
import { placesOf } from "../lib/place";
import { CopyButton } from "./CopyButton";
import { Marked } from "./Marked";
import { useMarkdown } from "./MarkdownSwitch";

const MOST_SHOWN = 5 * 1024 * 1024; // above it a browser only struggles

/** The text as loaded so far, and a line that says what is missing. */
export function useWhole(text: Text): { shown: string; cut: boolean; rest: React.ReactNode } {
  const [loaded, setLoaded] = useState<{ hash: string; text: string } | null>(null);
  const [trouble, setTrouble] = useState("");
  const whole = loaded && loaded.hash === text.hash ? loaded.text : null;
  if (!text.cut || whole !== null) {
    return { shown: whole ?? text.text, cut: false, rest: null };
  }
  const { hash } = text;
  const load = async (): Promise<void> => {
    if (hash) {
      try {
        setLoaded({ hash, text: await getPayload(hash) });
      } catch (error) {
        setTrouble(error instanceof Error ? error.message : "It could not be loaded.");
      }
    }
  };
  const rest = (
    <p className="cut" role="note">
      Cut after {bytes(text.text.length)} of {bytes(text.size)}.
      {hash && text.size <= MOST_SHOWN && (
        <button type="button" onClick={load}>
          Load all
        </button>
      )}
      {hash && (
        <a href={payloadPath(hash)} download>
          Download
        </a>
      )}
      {trouble && <span className="bad">{trouble}</span>}
    </p>
  );
  return { shown: text.text, cut: true, rest };
}

type Props = { text: Text; label: string; className: string; wrong: string };

/** `wrong`: an error's message, whose places in the text are marked where they can be found. */
export function WholeText({ text, label, className, wrong }: Props) {
  const { shown, rest } = useWhole(text);
  const places = useMemo(() => placesOf(wrong, shown), [wrong, shown]);
  const markdown = useMarkdown(places.length > 0 ? null : shown, label);
  return (
    <div className="value">
      <div className="value-tools">
        <span className="muted">{bytes(text.size)}</span>
        {markdown.button}
        <CopyButton text={shown} />
      </div>
      {markdown.drawn ?? (
        // oxlint-disable-next-line jsx-a11y/no-noninteractive-tabindex -- long text scrolls, so keys must reach it
        <pre className={className} tabIndex={0} role="region" aria-label={label}>
          {shown === "" && <span className="nothing">empty</span>}
          {places.length > 0 ? <Marked text={shown} ranges={places} /> : shown}
        </pre>
      )}
      {rest}
    </div>
  );
}
