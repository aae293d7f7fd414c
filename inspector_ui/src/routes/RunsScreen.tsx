// The list of runs: newest first, filters in the URL, more on demand.
import { useEffect, useId, useState } from "react";
import { useChains, useReplays, useRuns } from "../api/queries";
import type { RunSummary } from "../api/types";
import { ago, clock, cost, count, duration, firstLine, plural, shortId } from "../lib/format";
import { compareRoute, formatRoute, ORDERS, runRoute, type RunsRoute } from "../lib/route";
import { isActive } from "../lib/steps";
import { Empty, Loading, StaleBanner, Trouble } from "../trace/States";
import { StatusMark } from "../trace/StatusMark";
import { useNow } from "../trace/useNow";
import { useLetters } from "./useLetters";
import { useGo } from "./useRoute";

const STATUSES = ["running", "ok", "failed", "cancelled", "interrupted", "queued"];
const TYPING_MS = 200;
const MOST_MARKED = 100; // an address holds no more

export function RunsScreen({ route }: { route: RunsRoute }) {
  const { status, chain, text, tag, order } = route;
  const query = useRuns({ status, chain, text, tag, order });
  useEffect(() => {
    document.title = "Runs · chainlab";
  }, []);
  return (
    <div className="runs-screen">
      <h1>Runs</h1>
      <Filters route={route} />
      <RunList route={route} query={query} />
    </div>
  );
}

function RunList({ route, query }: { route: RunsRoute; query: ReturnType<typeof useRuns> }) {
  if (query.isPending) {
    return <Loading rows={10} />;
  }
  if (!query.data) {
    return <Trouble error={query.error} retry={() => query.refetch()} />;
  }
  const runs = query.data.pages.flatMap((page) => page.runs);
  if (runs.length === 0) {
    return <NoRuns filtered={Boolean(route.status || route.chain || route.text || route.tag)} />;
  }
  return (
    <>
      <StaleBanner error={query.error} />
      <Marked route={route} runs={runs} />
      <RunTable runs={runs} route={route} />
      <p className="more">
        {query.hasNextPage ? (
          <button type="button" disabled={query.isFetchingNextPage} onClick={() => query.fetchNextPage()}>
            {query.isFetchingNextPage ? "Loading…" : "Load more"}
          </button>
        ) : (
          <span className="muted">{plural(runs.length, "run")}</span>
        )}
      </p>
    </>
  );
}

function markedIn(route: RunsRoute): readonly string[] {
  return route.marked.split(",").filter(Boolean);
}

/** Two marked runs can be compared, the older one first; on runs of one chain an edit can be tried. */
function Marked({ route, runs }: { route: RunsRoute; runs: readonly RunSummary[] }) {
  const go = useGo();
  const replays = useReplays() === true;
  const marked = markedIn(route);
  const [a, b] = marked.toSorted((one, other) => begun(runs, one) - begun(runs, other));
  const chains = new Set(marked.map((id) => runs.find((run) => run.id === id)?.chain));
  const compare = marked.length === 2 && a && b ? (): void => go(compareRoute(a, b)) : null;
  // The edit is typed on the first of them that failed: that is where one sees whether it helps.
  const shown = runs.find((run) => marked.includes(run.id) && run.status === "failed")?.id ?? marked[0];
  const backtest =
    replays && shown && chains.size === 1 && !chains.has(undefined)
      ? (): void => go(runRoute(shown, { mode: "replay", on: marked.join(",") }))
      : null;
  useLetters((key) => {
    const act = { c: compare, g: backtest }[key] ?? null;
    act?.();
    return act !== null;
  });
  return marked.length === 0 ? null : (
    <p className="marked" role="status">
      {plural(marked.length, "run")} marked.
      {marked.length === 1 && " Mark another to compare the two."}
      {replays && chains.size > 1 && " They are of several chains: an edit is tried on runs of one."}
      {compare && (
        <button type="button" className="primary" onClick={compare}>
          Compare <kbd>c</kbd>
        </button>
      )}
      {backtest && (
        <button type="button" onClick={backtest}>
          Try an edit on {marked.length === 1 ? "it" : "them"} <kbd>g</kbd>
        </button>
      )}
      <button type="button" className="quiet" onClick={() => go({ ...route, marked: "" }, true)}>
        Unmark
      </button>
    </p>
  );
}

function begun(runs: readonly RunSummary[], id: string): number {
  return runs.find((run) => run.id === id)?.started_at ?? 0;
}

function NoRuns({ filtered }: { filtered: boolean }) {
  return filtered ? (
    <Empty title="No run matches">
      <p>
        Nothing in this store has what the filters ask for. <a href="#/runs">Show all runs</a>
      </p>
    </Empty>
  ) : (
    <Empty title="No runs yet" command="chainlab demo">
      <p>Run a chain and it appears here. To see one now:</p>
    </Empty>
  );
}

function Filters({ route }: { route: RunsRoute }) {
  const go = useGo();
  const chains = useChains().data ?? [];
  const known = route.chain && !chains.includes(route.chain) ? [route.chain, ...chains] : chains;
  return (
    <search className="filters">
      <TextFilter route={route} />
      <Choice
        label="Status"
        value={route.status}
        options={STATUSES}
        onChange={(status) => go({ ...route, status }, true)}
      />
      <Choice label="Chain" value={route.chain} options={known} onChange={(chain) => go({ ...route, chain }, true)} />
      <Choice
        label="Sort"
        value={route.order}
        options={ORDERS}
        words={ORDER_WORDS}
        onChange={(order) => go({ ...route, order: ORDERS.find((each) => each === order) ?? "newest" }, true)}
      />
      {route.tag && (
        <button type="button" className="filter-tag" onClick={() => go({ ...route, tag: "" }, true)} title="Show all tags">
          Tag {route.tag} <span aria-hidden="true">×</span>
          <span className="visually-hidden">: remove the filter</span>
        </button>
      )}
    </search>
  );
}

function TextFilter({ route }: { route: RunsRoute }) {
  const go = useGo();
  const id = useId();
  const [typed, setTyped] = useState(route.text);
  const [last, setLast] = useState(route.text);
  if (route.text !== last) {
    setLast(route.text); // the URL changed by other means: it wins
    setTyped(route.text);
  }
  useEffect(() => {
    if (typed === route.text) {
      return undefined;
    }
    const timer = setTimeout(() => {
      setLast(typed);
      go({ ...route, text: typed }, true);
    }, TYPING_MS);
    return () => clearTimeout(timer);
  }, [typed, route, go]);
  return (
    <div className="filter filter-text">
      <label htmlFor={id}>Search</label>
      <input
        id={id}
        type="search"
        value={typed}
        placeholder="id, chain, label or error"
        maxLength={200}
        onChange={(event) => setTyped(event.target.value)}
      />
    </div>
  );
}

const ORDER_WORDS: Record<string, string> = {
  newest: "Newest first",
  oldest: "Oldest first",
  slowest: "Slowest first",
  tokens: "Most tokens first",
  cost: "Dearest first",
};

type ChoiceProps = {
  label: string;
  value: string;
  options: readonly string[];
  words?: Record<string, string>;
  onChange: (value: string) => void;
};

/** One of several; without `words`, or any. */
function Choice({ label, value, options, words, onChange }: ChoiceProps) {
  const id = useId();
  return (
    <div className="filter">
      <label htmlFor={id}>{label}</label>
      <select id={id} value={value} onChange={(event) => onChange(event.target.value)}>
        {!words && <option value="">Any</option>}
        {options.map((option) => (
          <option key={option} value={option}>
            {words?.[option] ?? option}
          </option>
        ))}
      </select>
    </div>
  );
}

function RunTable({ runs, route }: { runs: readonly RunSummary[]; route: RunsRoute }) {
  const now = useNow();
  const priced = runs.some((run) => run.cost_nano !== null); // a column of dashes would say nothing
  return (
    <table className="runs">
      <thead>
        <tr>
          <th scope="col">
            <span className="visually-hidden">Marked</span>
          </th>
          <th scope="col">Status</th>
          <th scope="col">Chain</th>
          <th scope="col">Run</th>
          <th scope="col" className="num">
            Steps
          </th>
          <th scope="col" className="num">
            Took
          </th>
          <th scope="col" className="num">
            Tokens in / out
          </th>
          {priced && (
            <th scope="col" className="num">
              Cost
            </th>
          )}
          <th scope="col" className="num">
            Started
          </th>
        </tr>
      </thead>
      <tbody>
        {runs.map((run) => (
          <Row key={run.id} run={run} now={now} priced={priced} route={route} />
        ))}
      </tbody>
    </table>
  );
}

function Row({ run, now, priced, route }: { run: RunSummary; now: number; priced: boolean; route: RunsRoute }) {
  const go = useGo();
  const marked = markedIn(route);
  const isMarked = marked.includes(run.id);
  const mark = (): void => {
    const others = marked.filter((id) => id !== run.id);
    go({ ...route, marked: (isMarked ? others : [...others, run.id].slice(-MOST_MARKED)).join(",") }, true);
  };
  const href = formatRoute(runRoute(run.id));
  const took = run.duration_us ?? (isActive(run.status) ? Math.max(0, now - run.started_at) : null);
  return (
    <tr>
      <td className="cell-mark">
        <input type="checkbox" checked={isMarked} onChange={mark} aria-label={`Mark ${shortId(run.id)}`} />
      </td>
      <td className="cell-status">
        <StatusMark status={run.status} />
      </td>
      <td className="cell-chain">
        <a href={href} className="row-link">
          {run.chain}
        </a>
        {run.label && <span className="label">{run.label}</span>}
        {run.kept_at !== null && <span className="tag">kept</span>}
        {run.tags.map((tag) => (
          <a key={tag} className="tag" href={formatRoute({ ...route, tag })} title={`Only runs with the tag ${tag}`}>
            {tag}
          </a>
        ))}
        {run.error && (
          <span className="row-error">
            {run.error.path && <b>{run.error.path}: </b>}
            {firstLine(run.error.message)}
          </span>
        )}
      </td>
      <td className="mono cell-id">{shortId(run.id)}</td>
      <td className="num cell-steps">
        <StepCounts run={run} />
      </td>
      <td className="num cell-took">{duration(took)}</td>
      <td className="num cell-tokens">
        {run.tokens_in + run.tokens_out > 0 ? `${count(run.tokens_in)} / ${count(run.tokens_out)}` : "–"}
      </td>
      {priced && (
        <td className="num cell-cost" title={run.cost_nano === null ? "unknown" : undefined}>
          {cost(run.cost_nano)}
        </td>
      )}
      <td className="num cell-started">
        <time dateTime={new Date(run.started_at / 1000).toISOString()} title={clock(run.started_at)}>
          {ago(run.started_at, now)}
        </time>
      </td>
    </tr>
  );
}

function StepCounts({ run }: { run: RunSummary }) {
  const done = run.steps_ok + run.steps_reused;
  return (
    <>
      {run.steps_failed > 0 && <span className="bad">{run.steps_failed} failed · </span>}
      {run.steps_total > 0 ? `${done} of ${run.steps_total}` : "–"}
    </>
  );
}
