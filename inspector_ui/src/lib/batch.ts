// Words and marks for what became of the runs of a batch. Pure.
import type { BacktestRow, BatchPlan, BatchRow } from "../api/types";
import { costText, count, duration, plural } from "./format";

export type Verdict = BacktestRow["verdict"];

/** Best news first. */
export const VERDICTS: readonly Verdict[] = ["fixed", "broken", "still-failing", "changed", "same", "refused", "pending"];

export const VERDICT_WORDS: Record<Verdict, string> = {
  fixed: "fixed",
  broken: "broken",
  "still-failing": "still failing",
  changed: "changed",
  same: "same",
  refused: "refused",
  pending: "not yet",
};

/** A shape for each, so that colour is not all there is. */
export const VERDICT_SIGNS: Record<Verdict, string> = {
  fixed: "✓",
  broken: "✗",
  "still-failing": "✗",
  changed: "~",
  same: "=",
  refused: "!",
  pending: "○",
};

const LABELS: Record<string, string> = {
  edit: "the edit, not chance",
  noise: "within sampling noise",
  "too-few": "too few runs to tell",
};

export function labelText(label: string): string {
  return LABELS[label] ?? label;
}

/** How a batch stands, in a line. */
export function standing(batch: BatchRow): string {
  if (batch.label) {
    return labelText(batch.label);
  }
  const counts = VERDICTS.flatMap((verdict) => batch.counts.filter((one) => one.verdict === verdict && one.count > 0));
  const words = counts.map((one) => `${one.count} ${VERDICT_WORDS[one.verdict as Verdict] ?? one.verdict}`);
  return words.length > 0 ? words.join(" · ") : `${batch.done} of ${batch.total} done`;
}

/** About what a planned batch takes. */
export function estimateText(plan: BatchPlan): string {
  const { estimate } = plan;
  const calls = estimate.calls === estimate.calls_at_most ? plural(estimate.calls, "call") : `${estimate.calls} to ${estimate.calls_at_most} calls`;
  const tokens =
    estimate.tokens_in === null || estimate.tokens_out === null
      ? "tokens unknown"
      : `about ${count(estimate.tokens_in)} tokens in, ${count(estimate.tokens_out)} out`;
  const time = estimate.duration_us === null ? "time unknown" : `about ${duration(estimate.duration_us)}`;
  return [calls, tokens, time, costText(estimate.cost_nano)].join(" · ");
}
