// The edit of a draft on other runs: the last ones of the chain, looked at first, then begun as a batch.
import { useMutation } from "@tanstack/react-query";
import { useId, useState } from "react";
import type { EditProblem } from "../api/types";
import { estimateText } from "../lib/batch";
import type { Draft } from "../lib/draft";
import { plural } from "../lib/format";
import { batchRoute } from "../lib/route";
import { useGo } from "../routes/useRoute";
import { beginBatch, useBatchPreview } from "./queries";

const MOST = 500;
const KINDS: readonly Kind[] = ["backtest", "marked", "noise"];

/** `on`: the runs that were marked for it; none: the last ones. */
type Props = { run: string; chain: string; edit: string | null; draft: Draft; on: readonly string[] };

type Kind = "backtest" | "marked" | "noise";

export function TryPane({ run, chain, edit, draft, on }: Props) {
  const id = useId();
  const go = useGo();
  const [kind, setKind] = useState<Kind>(on.length > 0 ? "marked" : "backtest");
  const [last, setLast] = useState("20");
  const [looked, setLooked] = useState<string | null>(null);
  const body = edit === null || !goodNumber(last) ? null : requestOf(edit, whichRuns(kind, { run, chain, last, on }), kind, draft);
  const preview = useBatchPreview(looked !== null && looked === body ? looked : null);
  const begin = useMutation({
    mutationFn: (request: string) => beginBatch(request),
    onSuccess: (begun) => go(batchRoute(begun.batch_id)),
  });
  const plan = looked === body ? preview.data?.plan : null;
  const refused = plan ? plan.runs.filter((one) => one.refused !== null) : [];
  return (
    <details className="try" open={on.length > 0}>
      <summary>{on.length > 0 ? `Try it on the ${plural(on.length, "run")} marked` : "Try it on other runs"}</summary>
      <p className="muted">Nothing is overwritten: every run is forked, and the batch compares each with what it was.</p>
      <div className="try-form">
        <label htmlFor={id}>What</label>
        <select id={id} value={kind} onChange={(event) => setKind(KINDS.find((one) => one === event.target.value) ?? "backtest")}>
          {on.length > 0 && <option value="marked">The {plural(on.length, "run")} marked</option>}
          <option value="backtest">The last runs of {chain}</option>
          <option value="noise">This run eight times, with and without: is it the edit, or chance?</option>
        </select>
        {kind === "backtest" && (
          <>
            <label htmlFor={`${id}n`}>How many</label>
            <input id={`${id}n`} inputMode="numeric" value={last} onChange={(event) => setLast(event.target.value)} aria-invalid={!goodNumber(last)} />
          </>
        )}
        <button type="button" disabled={body === null || preview.isFetching} onClick={() => setLooked(body)}>
          {preview.isFetching ? "Thinking it through…" : "See what it takes"}
        </button>
      </div>
      {edit === null && <p className="muted">Edit the step first.</p>}
      {preview.error && (
        <p role="alert" className="bad">
          {preview.error.message}
        </p>
      )}
      {looked === body && preview.data?.problems.map((problem) => <Said key={problem.message} problem={problem} />)}
      {plan && (
        <div role="status">
          <p>
            {plan.kind === "noise" ? `${plan.k} runs each way` : plural(plan.runs.length - refused.length, "run")} · {estimateText(plan)}
            {refused.length > 0 && ` · ${refused.length} refused`}
          </p>
          {refused[0]?.refused && <Said problem={refused[0].refused} />}
          <button
            type="button"
            className="primary"
            disabled={begin.isPending || (plan.kind === "backtest" && refused.length === plan.runs.length)}
            onClick={() => body && begin.mutate(body)}
          >
            {begin.isPending ? "Beginning…" : plan.kind === "noise" ? "Run the noise control" : "Run the backtest"}
          </button>
        </div>
      )}
      {begin.error && (
        <p role="alert" className="bad">
          {begin.error.message}
        </p>
      )}
    </details>
  );
}

function Said({ problem }: { problem: EditProblem }) {
  return (
    <p className="bad">
      {problem.message} {problem.remedy}
    </p>
  );
}

function goodNumber(typed: string): boolean {
  return /^[1-9]\d{0,2}$/.test(typed.trim()) && Number(typed) <= MOST;
}

function whichRuns(kind: Kind, { run, chain, last, on }: Pick<Props, "run" | "chain" | "on"> & { last: string }): string {
  if (kind === "backtest") {
    return `"chain":${JSON.stringify(chain)},"last":${Number(last)}`;
  }
  return `"runs":${JSON.stringify(kind === "noise" ? [run] : on)}`;
}

/** The request as JSON text: numbers of an edit stay as they were typed. */
function requestOf(edit: string, which: string, kind: Kind, draft: Draft): string {
  const scope = kind === "noise" ? "" : `,"scope":"${draft.scope}"`;
  return `{"kind":"${kind === "noise" ? "noise" : "backtest"}","edits":[${edit}],${which}${scope},"on_drift":"${draft.onDrift}","on_effects":"${draft.onEffects}"}`;
}
