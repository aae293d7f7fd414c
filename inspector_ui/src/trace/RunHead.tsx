// What a run came to: its error before anything else, then its numbers, inputs and output.
import type { ReactNode } from "react";
import type { RunView } from "../api/types";
import { ago, clock, cost, count, duration, firstLine } from "../lib/format";
import { isActive } from "../lib/steps";
import { CopyButton } from "./CopyButton";
import { InputTable } from "./InputTable";
import { StatusMark } from "./StatusMark";
import { useNow } from "./useNow";
import { ValueView } from "./ValueView";

type Props = { view: RunView; hrefOf: (step: string) => string; children?: ReactNode };

export function RunHead({ view, hrefOf, children }: Props) {
  const { run } = view;
  const now = useNow();
  const took = run.duration_us ?? (isActive(run.status) ? Math.max(0, now - run.started_at) : null);
  return (
    <header className="run-head">
      <div className="run-line">
      <div className="run-title">
        <StatusMark status={run.status} />
        <h1>{run.chain}</h1>
        <span className="mono muted">{run.id}</span>
        <CopyButton text={run.id} label="Copy id" />
        {run.label && <span className="label">{run.label}</span>}
        {run.tags.map((tag) => (
          <span key={tag} className="tag">
            {tag}
          </span>
        ))}
      </div>
      <dl className="facts">
        <Fact name="Took" value={duration(took)} />
        <Fact name="Steps" value={isActive(run.status) ? `${doneIn(view)} done` : `${run.steps_ok + run.steps_reused} of ${run.steps_total}`} />
        {run.steps_failed > 0 && <Fact name="Failed" value={String(run.steps_failed)} bad />}
        {run.steps_skipped > 0 && <Fact name="Skipped" value={String(run.steps_skipped)} />}
        {run.steps_reused > 0 && <Fact name="Reused" value={String(run.steps_reused)} />}
        {run.tokens_in + run.tokens_out > 0 && (
          <Fact name="Tokens in / out" value={`${count(run.tokens_in)} / ${count(run.tokens_out)}`} />
        )}
        {run.cost_nano !== null && <Fact name="Cost" value={cost(run.cost_nano)} />}
        <Fact name="Started" value={ago(run.started_at, now)} title={clock(run.started_at)} />
      </dl>
      </div>
      {run.error && (
        // In full in the step's own pane; here one line, unless there is no such step.
        <div className={`failure ${view.failed_path ? "is-brief" : ""}`} role="group" aria-label="Why the run failed">
          <p className="failure-head">
            <b>Failed</b>
            {view.failed_path && (
              <>
                {" at "}
                <a href={hrefOf(view.failed_path)} className="mono">
                  {view.failed_path}
                </a>
              </>
            )}
            <code className="code">{run.error.code}</code>
          </p>
          <pre>{view.failed_path ? firstLine(run.error.message) : run.error.message}</pre>
        </div>
      )}
      <div className="run-foot">
      <details className="run-values">
        <summary>Inputs and output of the run</summary>
        <h2>Inputs</h2>
        <InputTable inputs={view.inputs} hrefOf={hrefOf} />
        <h2>Output</h2>
        {view.output ? <ValueView text={view.output} label="Output of the run" /> : <p className="muted">None.</p>}
      </details>
      {children}
      </div>
    </header>
  );
}

/** While a run goes on, its row has no sums yet. */
function doneIn(view: RunView): number {
  return view.steps.filter((step) => !isActive(step.status)).length;
}

type FactProps = { name: string; value: string; title?: string; bad?: boolean };

export function Fact({ name, value, title, bad = false }: FactProps) {
  return (
    <div className={bad ? "bad" : undefined}>
      <dt>{name}</dt>
      <dd title={title}>{value}</dd>
    </div>
  );
}
