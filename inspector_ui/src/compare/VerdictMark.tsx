// What became of a step between two runs: a sign, a colour and a word.
import type { StepComparison } from "../api/types";
import { type Mark, MARKS, markOf } from "../lib/compared";

const SIGNS: Record<Mark, string> = { same: "=", reused: "↺", changed: "≠", moved: "⇄", "only-a": "−", "only-b": "+" };

export function VerdictMark({ step, brief = false }: { step: StepComparison; brief?: boolean }) {
  const mark = markOf(step);
  return (
    <span className={`verdict is-${mark}`}>
      <span className="verdict-sign" aria-hidden="true">
        {SIGNS[mark]}
      </span>
      <span className={brief ? "visually-hidden" : ""}>{MARKS[mark]}</span>
    </span>
  );
}
