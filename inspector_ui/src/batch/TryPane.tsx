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

type Props = { run: string; chain: string; edit: string | null; draft: Draft };

export function TryPane({ run, chain, edit, draft }: Props) {
  const id = useId();
  const go = useGo();
  const [kind, setKind] = useState<"backtest" | "noise">("backtest");
  const [last, setLast] = useState("20");
  const [looked, setLooked] = useState<string | null>(null);
  const body = edit === null || !goodNumber(last) ? null : requestOf(kind, edit, run, chain, last, draft);
  const preview = useBatchPreview(looked !== null && looked === body ? looked : null);
  const begin = useMutation({
    mutationFn: (request: string) => beginBatch(request),
    onSuccess: (begun) => go(batchRoute(begun.batch_id)),
  });
  const plan = looked === body ? preview.data?.plan : null;
  const refused = plan ? plan.runs.filter((one) => one.refused !== null) : [];
  return (
    <details className="try">
      <summary>Try it on other runs</summary>
      <p className="muted">Nothing is overwritten: every run is forked, and the batch compares each with what it was.</p>
      <div className="try-form">
        <label htmlFor={id}>What</label>
        <select id={id} value={kind} onChange={(event) => setKind(event.target.value === "noise" ? "noise" : "backtest")}>
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

/** The request as JSON text: numbers of an edit stay as they were typed. */
function requestOf(kind: "backtest" | "noise", edit: string, run: string, chain: string, last: string, draft: Draft): string {
  const which = kind === "noise" ? `"runs":[${JSON.stringify(run)}]` : `"chain":${JSON.stringify(chain)},"last":${Number(last)}`;
  const scope = kind === "noise" ? "" : `,"scope":"${draft.scope}"`;
  return `{"kind":"${kind}","edits":[${edit}],${which}${scope},"on_drift":"${draft.onDrift}","on_effects":"${draft.onEffects}"}`;
}
