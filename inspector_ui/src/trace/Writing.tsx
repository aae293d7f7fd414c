// What a model is writing at this moment. It is not stored: when the try has ended, its record stands in its place.
import { useEffect, useRef } from "react";
import { useText } from "../api/live";

const NEAR_PX = 40;

export function Writing({ run, path }: { run: string; path: string }) {
  const told = useText(run, path);
  const box = useRef<HTMLPreElement>(null);
  const follows = useRef(true);
  useEffect(() => {
    if (box.current && follows.current) {
      box.current.scrollTop = box.current.scrollHeight;
    }
  });
  if (!told) {
    return null;
  }
  return (
    <section className="writing" aria-label="Being written">
      <p className="muted">{told.n > 1 ? `Being written, attempt ${told.n}` : "Being written"}</p>
      <pre
        ref={box}
        className="prompt"
        tabIndex={0} // oxlint-disable-line jsx-a11y/no-noninteractive-tabindex -- long text scrolls, so keys must reach it
        role="region"
        aria-label="Text so far"
        onScroll={({ currentTarget: at }) => {
          follows.current = at.scrollHeight - at.scrollTop - at.clientHeight < NEAR_PX; // who reads above is left there
        }}
      >
        {told.text}
      </pre>
    </section>
  );
}
