// Everything about one step: why it failed first, then prompt, template, inputs, output, raw reply, attempts.
import { useStep } from "../api/queries";
import type { RunView, StepRow, StepView } from "../api/types";
import { cost, count, duration } from "../lib/format";
import { placesOf } from "../lib/place";
import { instancesOf } from "../lib/steps";
import { defaultTab, tabsOf } from "../lib/tabs";
import { AttemptList } from "./AttemptList";
import { DefinitionView } from "./DefinitionView";
import { InputTable } from "./InputTable";
import { toWrongPlace } from "./Marked";
import { PromptView } from "./PromptView";
import { ReplyView } from "./ReplyView";
import { Fact } from "./RunHead";
import { Loading, StaleBanner, Trouble } from "./States";
import { StatusMark } from "./StatusMark";
import { Tabs } from "./Tabs";
import { useNow } from "./useNow";
import { ValueView } from "./ValueView";
import { Writing } from "./Writing";

type Props = {
  run: RunView;
  path: string;
  tab: string;
  moving: boolean;
  onTab: (tab: string) => void;
  onReplay: (() => void) | null;
  hrefOf: (step: string) => string;
};

export function StepPane({ run, path, tab, moving, onTab, onReplay, hrefOf }: Props) {
  const query = useStep(run.run.id, path, moving);
  if (query.isPending) {
    return <Loading rows={8} />;
  }
  if (!query.data) {
    return <Trouble error={query.error} retry={() => query.refetch()} />;
  }
  const view = query.data;
  const tabs = tabsOf(view);
  const current = tabs.some((each) => each.id === tab) ? tab : defaultTab(view);
  return (
    <article className="step">
      <StaleBanner error={query.error} />
      <StepHead view={view} run={run} onReplay={onReplay} hrefOf={hrefOf} />
      <Why view={view} hrefOf={hrefOf} onReply={() => onTab("reply")} />
      {view.row?.status === "running" && <Writing run={run.run.id} path={path} />}
      <Tabs tabs={tabs} current={current} onChange={onTab} label="About this step" panel="step-panel" />
      <div role="tabpanel" id="step-panel" aria-labelledby={`step-panel-${current}`} className="panel" tabIndex={0}>
        <Panel view={view} tab={current} hrefOf={hrefOf} />
      </div>
    </article>
  );
}

type HeadProps = { view: StepView; run: RunView } & Pick<Props, "onReplay" | "hrefOf">;

function StepHead({ view, run, onReplay, hrefOf }: HeadProps) {
  const { row } = view;
  const now = useNow();
  const took = row?.duration_us ?? (row?.status === "running" && row.started_at !== null ? now - row.started_at : null);
  return (
    <header className="step-head">
      <div className="step-title">
        {row ? <StatusMark status={row.status} /> : <span className="muted">not begun</span>}
        <h2 className="mono">{view.path}</h2>
        <span className="kind">{row?.kind ?? view.definition?.kind}</span>
        <span className="step-tools">
          {row && <Siblings row={row} run={run} hrefOf={hrefOf} />}
          {onReplay && (
            <button type="button" className="primary" onClick={onReplay}>
              Replay <kbd>R</kbd>
            </button>
          )}
        </span>
      </div>
      {row && (
        <dl className="facts">
          {row.model && <Fact name="Model" value={row.model} />}
          <Fact name="Took" value={duration(took === null ? null : Math.max(0, took))} />
          {row.queue_us !== null && row.queue_us > 0 && <Fact name="Waited" value={duration(row.queue_us)} />}
          {row.ttft_us !== null && <Fact name="First token" value={duration(row.ttft_us)} />}
          {row.tokens_out !== null && <Fact name="Tokens in / out" value={`${count(row.tokens_in)} / ${count(row.tokens_out)}`} />}
          {row.attempts > 1 && <Fact name="Attempts" value={String(row.attempts)} />}
          {row.cost_nano !== null && <Fact name="Cost" value={cost(row.cost_nano)} />}
        </dl>
      )}
    </header>
  );
}

/** The way to the other items and rounds of the same declared step. */
function Siblings({ row, run, hrefOf }: { row: StepRow; run: RunView; hrefOf: (step: string) => string }) {
  const all = instancesOf(run.steps, row.static);
  const at = all.findIndex((step) => step.path === row.path);
  if (all.length < 2) {
    return null;
  }
  const [before, after] = [all[at - 1], all[at + 1]];
  return (
    <nav className="siblings" aria-label="Other items of this step">
      {before ? <a href={hrefOf(before.path)} aria-label={`Previous: ${before.path}`}>‹</a> : <span className="off">‹</span>}
      <span>
        {at + 1} of {all.length}
      </span>
      {after ? <a href={hrefOf(after.path)} aria-label={`Next: ${after.path}`}>›</a> : <span className="off">›</span>}
    </nav>
  );
}

type WhyProps = { view: StepView; hrefOf: (step: string) => string; onReply: () => void };

function Why({ view, hrefOf, onReply }: WhyProps) {
  const { row } = view;
  if (row?.status === "skipped") {
    return (
      <p className="note">
        Skipped because of{" "}
        {row.cause_path ? (
          <a className="mono" href={hrefOf(row.cause_path)}>
            {row.cause_path}
          </a>
        ) : (
          "an earlier step"
        )}
        .
      </p>
    );
  }
  if (row?.origin_run_id) {
    const path = row.origin_path ?? row.path;
    return (
      <p className="note">
        Not run again: this output was made by{" "}
        <a className="mono" href={`#/runs/${encodeURIComponent(row.origin_run_id)}?step=${encodeURIComponent(path)}`}>
          {row.origin_run_id.slice(0, 12)} {path}
        </a>
        .
      </p>
    );
  }
  return row?.error ? (
    <div className="failure" role="group" aria-label="Why the step failed">
      <p className="failure-head">
        <b>{row.status === "failed" ? "Failed" : row.status}</b>
        {row.attempts > 1 && <> after {row.attempts} attempts</>}
        <code className="code">{row.error.code}</code>
        {placeIsKnown(view) && (
          <button
            type="button"
            className="show-place"
            onClick={() => {
              onReply();
              toWrongPlace();
            }}
          >
            Show in reply
          </button>
        )}
      </p>
      <pre>{row.error.message}</pre>
    </div>
  ) : null;
}

/** Whether the last reply has the place that its error names. */
function placeIsKnown(view: StepView): boolean {
  const last = view.attempts.at(-1);
  return Boolean(last?.reply && last.error && placesOf(last.error.message, last.reply.text).length > 0);
}

function Panel({ view, tab, hrefOf }: { view: StepView; tab: string; hrefOf: (step: string) => string }) {
  switch (tab) {
    case "prompt":
      return <PromptView attempts={view.attempts} inputs={view.inputs} schema={view.definition?.output_schema ?? null} />;
    case "inputs":
      return <InputTable inputs={view.inputs} hrefOf={hrefOf} />;
    case "output":
      return view.output ? (
        <ValueView text={view.output} label="Output" />
      ) : (
        <p className="muted">{view.row?.status === "running" ? "Still running." : "This step gave no output."}</p>
      );
    case "reply":
      return <ReplyView attempts={view.attempts} />;
    case "attempts":
      return <AttemptList attempts={view.attempts} />;
    default:
      return <DefinitionView definition={view.definition} />;
  }
}
