// Both runs' heads: status, time, tokens, and what the one is to the other.
import type { Comparison, RunSummary } from "../api/types";
import { ago, clock, count, duration, firstLine, shortId } from "../lib/format";
import { formatRoute, runRoute } from "../lib/route";
import { isActive } from "../lib/steps";
import { Fact } from "../trace/RunHead";
import { StatusMark } from "../trace/StatusMark";
import { useNow } from "../trace/useNow";

const RELATIONS: Record<NonNullable<Comparison["relation"]>, string> = {
  itself: "the same run twice",
  fork: "b is a fork of a",
  parent: "a is a fork of b",
  relative: "both come from one run",
};

type Props = { comparison: Comparison; onSwap: () => void; onKeep: (() => void) | null };

/** `onKeep`: b is a fork that has ended, and this server may keep it. */
export function CompareHead({ comparison, onSwap, onKeep }: Props) {
  return (
    <header className="compare-head">
      <div className="compare-line">
        <h1>Compare {comparison.b.chain}</h1>
        <span className="muted">{comparison.relation ? RELATIONS[comparison.relation] : "not related"}</span>
        <button type="button" onClick={onSwap}>
          Swap <kbd>x</kbd>
        </button>
        {onKeep && (
          <button type="button" className={comparison.b.kept_at === null ? "primary" : ""} onClick={onKeep}>
            {comparison.b.kept_at === null ? "Keep" : "Kept: see the patch"} <kbd>K</kbd>
          </button>
        )}
      </div>
      <div className="compare-runs">
        <RunCard name="a" run={comparison.a} />
        <RunCard name="b" run={comparison.b} />
      </div>
    </header>
  );
}

function RunCard({ name, run }: { name: "a" | "b"; run: RunSummary }) {
  const now = useNow();
  const took = run.duration_us ?? (isActive(run.status) ? Math.max(0, now - run.started_at) : null);
  return (
    <section className="run-card" aria-label={`Run ${name}`}>
      <div className="run-title">
        <span className={`side-name is-${name}`}>{name}</span>
        <StatusMark status={run.status} />
        <a className="mono" href={formatRoute(runRoute(run.id))}>
          {shortId(run.id)}
        </a>
        {run.label && <span className="label">{run.label}</span>}
        {run.kept_at !== null && <span className="tag">kept</span>}
        {run.parent_run_id && (
          <span className="muted">
            fork of{" "}
            <a className="mono" href={formatRoute(runRoute(run.parent_run_id))}>
              {shortId(run.parent_run_id)}
            </a>
          </span>
        )}
      </div>
      <dl className="facts">
        <Fact name="Took" value={duration(took)} />
        <Fact name="Steps" value={`${run.steps_ok + run.steps_reused} of ${run.steps_total}`} />
        {run.steps_reused > 0 && <Fact name="Reused" value={String(run.steps_reused)} />}
        {run.steps_failed > 0 && <Fact name="Failed" value={String(run.steps_failed)} bad />}
        {run.tokens_in + run.tokens_out > 0 && <Fact name="Tokens in / out" value={`${count(run.tokens_in)} / ${count(run.tokens_out)}`} />}
        <Fact name="Started" value={ago(run.started_at, now)} title={clock(run.started_at)} />
      </dl>
      {run.error && (
        <p className="bad card-error">
          {run.error.path && <b className="mono">{run.error.path}: </b>}
          {firstLine(run.error.message)}
        </p>
      )}
    </section>
  );
}
