// One batch: the edit that was tried, and what became of each run, each a way to its comparison.
import { useEffect } from "react";
import type { BacktestRow, BatchView, NoiseView } from "../api/types";
import { useBatch, useCancelBatch, useResumeBatch } from "../batch/queries";
import { labelText, VERDICT_SIGNS, VERDICT_WORDS, VERDICTS } from "../lib/batch";
import { ago, clock, count, duration, firstLine, shortId } from "../lib/format";
import { type BatchRoute, compareRoute, formatRoute, runRoute } from "../lib/route";
import { LongText } from "../trace/LongText";
import { Empty, Loading, StaleBanner, Trouble } from "../trace/States";
import { useNow } from "../trace/useNow";
import { useGo } from "./useRoute";

export function BatchScreen({ route }: { route: BatchRoute }) {
  const query = useBatch(route.id);
  useEffect(() => {
    document.title = `Batch ${shortId(route.id)} · chainlab`;
  }, [route.id]);
  if (query.isPending) {
    return <Loading rows={10} />;
  }
  if (!query.data) {
    return <Trouble error={query.error} retry={() => query.refetch()} />;
  }
  const view = query.data;
  return (
    <div className="runs-screen batch-screen">
      <StaleBanner error={query.error} />
      <Head view={view} />
      <Edits view={view} />
      {view.noise ? <Noise noise={view.noise} /> : <Backtest view={view} route={route} />}
    </div>
  );
}

function Head({ view }: { view: BatchView }) {
  const { batch } = view;
  const now = useNow();
  const cancel = useCancelBatch(batch.id);
  const resume = useResumeBatch(batch.id);
  const over = batch.status === "cancelled" || batch.status === "interrupted";
  return (
    <header className="batch-head">
      <h1>
        {batch.kind === "noise" ? "Noise control" : "Backtest"} of {batch.chain} <span className="mono muted">{shortId(batch.id)}</span>
      </h1>
      <p role="status">
        {batch.status}: {batch.done} of {batch.total} runs · begun <time title={clock(batch.created_at)}>{ago(batch.created_at, now)}</time>
      </p>
      <progress max={batch.total} value={batch.done} aria-label="Runs that have ended" />
      {batch.status === "running" && batch.here && (
        <button type="button" disabled={cancel.isPending} onClick={() => cancel.mutate()}>
          Cancel
        </button>
      )}
      {over && (
        <button type="button" disabled={resume.isPending} onClick={() => resume.mutate()}>
          Go on with it
        </button>
      )}
      {(cancel.error ?? resume.error) && (
        <p role="alert" className="bad">
          {(cancel.error ?? resume.error)?.message}
        </p>
      )}
    </header>
  );
}

function Edits({ view }: { view: BatchView }) {
  return (
    <details className="run-values">
      <summary>
        The edit of {view.edits.map((edit) => edit.step).join(", ")} (scope {view.scope})
      </summary>
      {view.edits.map((edit) => (
        <dl key={edit.step} className="batch-edit">
          {edit.says.map((says) => (
            <div key={says.name}>
              <dt>
                <span className="mono">{edit.step}</span> {says.name}
              </dt>
              <dd>
                <LongText className="prompt" label={`${edit.step}: ${says.name}`}>
                  {says.value}
                </LongText>
              </dd>
            </div>
          ))}
        </dl>
      ))}
    </details>
  );
}

function Backtest({ view, route }: { view: BatchView; route: BatchRoute }) {
  const go = useGo();
  const shown = route.show ? view.rows.filter((row) => row.verdict === route.show) : view.rows;
  return (
    <>
      <div className="batch-counts" role="group" aria-label="Verdicts">
        {VERDICTS.map((verdict) => [verdict, view.rows.filter((row) => row.verdict === verdict).length] as const)
          .filter(([, found]) => found > 0)
          .map(([verdict, found]) => (
            <button
              key={verdict}
              type="button"
              className={`verdict is-${verdict}`}
              aria-pressed={route.show === verdict}
              onClick={() => go({ ...route, show: route.show === verdict ? "" : verdict }, true)}
            >
              <span aria-hidden="true">{VERDICT_SIGNS[verdict]}</span> {found} {VERDICT_WORDS[verdict]}
            </button>
          ))}
      </div>
      {shown.length === 0 ? <Empty title="No run is like that" /> : <Rows rows={shown} />}
    </>
  );
}

function Rows({ rows }: { rows: readonly BacktestRow[] }) {
  return (
    <table className="runs">
      <thead>
        <tr>
          <th scope="col">Verdict</th>
          <th scope="col">Run before</th>
          <th scope="col">With the edit</th>
          <th scope="col">What happened</th>
          <th scope="col" className="num">
            Tokens in / out
          </th>
          <th scope="col" className="num">
            Took
          </th>
        </tr>
      </thead>
      <tbody>
        {rows.map((row) => (
          <Row key={row.run_id} row={row} />
        ))}
      </tbody>
    </table>
  );
}

function Row({ row }: { row: BacktestRow }) {
  return (
    <tr>
      <td>
        <span className={`verdict is-${row.verdict}`}>
          <span aria-hidden="true">{VERDICT_SIGNS[row.verdict]}</span> {VERDICT_WORDS[row.verdict]}
        </span>
      </td>
      <td className="mono">
        <a href={formatRoute(runRoute(row.run_id))}>{shortId(row.run_id)}</a> {row.before?.status}
      </td>
      <td className="mono">
        {row.fork_id ? (
          <>
            <a href={formatRoute(runRoute(row.fork_id))}>{shortId(row.fork_id)}</a> {row.after?.status}
          </>
        ) : (
          "–"
        )}
      </td>
      <td>
        {row.fork_id && (
          <a className="row-link" href={formatRoute(compareRoute(row.run_id, row.fork_id))}>
            Compare<span className="visually-hidden"> {shortId(row.run_id)} with its fork</span>
          </a>
        )}
        {row.message && <span className="row-error">{firstLine(row.message)}</span>}
      </td>
      <td className="num">{row.tokens_in + row.tokens_out > 0 ? `${count(row.tokens_in)} / ${count(row.tokens_out)}` : "–"}</td>
      <td className="num">{duration(row.duration_us)}</td>
    </tr>
  );
}

function Noise({ noise }: { noise: NoiseView }) {
  const { verdict } = noise;
  return (
    <section className="noise" aria-label="Verdict">
      <h2>{verdict ? labelText(verdict.label) : "Not all runs have ended"}</h2>
      {verdict && (
        <p>
          p = {verdict.p_value.toFixed(4)}, level {verdict.level}: {verdict.n_control} unedited against {verdict.n_edited} edited runs of{" "}
          <span className="mono">{noise.steps.join(", ")}</span>, {verdict.permutations} permutations. {verdict.note}
        </p>
      )}
      {noise.notes.map((note) => (
        <p key={note} className="note">
          {note}
        </p>
      ))}
      <div className="noise-arms">
        <Arm title="Unedited" runs={noise.control} />
        <Arm title="With the edit" runs={noise.edited} />
      </div>
    </section>
  );
}

function Arm({ title, runs }: { title: string; runs: readonly string[] }) {
  return (
    <section>
      <h3>{title}</h3>
      <ul>
        {runs.map((run) => (
          <li key={run} className="mono">
            <a href={formatRoute(runRoute(run))}>{shortId(run)}</a>
          </li>
        ))}
      </ul>
    </section>
  );
}
