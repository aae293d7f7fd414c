// A text in which the places of a problem are marked. Text is text: no markup is made of it.
import type { Range } from "../lib/place";

export const WRONG_PLACE = "wrong-place";

export function Marked({ text, ranges }: { text: string; ranges: readonly Range[] }) {
  return ranges.map(({ from, to }, i) => (
    <span key={from}>
      {text.slice(ranges[i - 1]?.to ?? 0, from)}
      <mark className={WRONG_PLACE} tabIndex={-1} title="Here it does not fit the type">
        {text.slice(from, to)}
      </mark>
      {i === ranges.length - 1 && text.slice(to)}
    </span>
  ));
}

/** Go to the first marked place, once what was just asked for is drawn. */
export function toWrongPlace(): void {
  requestAnimationFrame(() =>
    requestAnimationFrame(() => {
      const place = document.querySelector<HTMLElement>(`.${WRONG_PLACE}`);
      place?.scrollIntoView({ block: "center" });
      place?.focus({ preventScroll: true });
    }),
  );
}
