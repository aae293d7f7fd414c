// Where a run stands among its replays: what it was made from, what was made from it, and the way on after a failure.
import { useMutation } from "@tanstack/react-query";
import { beginReplay, useForks } from "../api/queries";
import type { RunView } from "../api/types";
import { ago, plural, shortId } from "../lib/format";
import { compareRoute, formatRoute, type RunRoute, runRoute } from "../lib/route";
import { isActive, openAt } from "../lib/steps";
import { useGo } from "../routes/useRoute";
import { StatusMark } from "../trace/StatusMark";
import { useNow } from "../trace/useNow";
import { newKey } from "./key";

const RESUMABLE = new Set(["failed", "cancelled", "interrupted"]);

type Props = { view: RunView; route: RunRoute; canReplay: boolean };

export function RunFamily({ view, route, canReplay }: Props) {
  const { run } = view;
  return (
    <div className="family">
      {canReplay && RESUMABLE.has(run.status) && <Resume view={view} route={route} />}
      {run.parent_run_id && (
        <p>
          Fork of{" "}
          <a className="mono" href={formatRoute(runRoute(run.parent_run_id))}>
            {shortId(run.parent_run_id)}
          </a>
          <a className="button" href={formatRoute(compareRoute(run.parent_run_id, run.id))}>
            Compare with parent <kbd>d</kbd>
          </a>
        </p>
      )}
      {route.against && isActive(run.status) && (
        <p role="status">
          The comparison opens when this run ends. <a href={formatRoute({ ...route, against: "" })}>Stay here</a>
        </p>
      )}
      <Forks id={run.id} chain={run.chain} />
    </div>
  );
}

/** Runs what failed and what had not run, as it is. */
function Resume({ view, route }: { view: RunView; route: RunRoute }) {
  const go = useGo();
  const { run } = view;
  const begin = useMutation({
    mutationFn: (key: string) => beginReplay(run.id, `{"edits":[],"idempotency_key":"${key}"}`),
    onSuccess: (begun) => go(runRoute(begun.run_id, { view: route.view, against: run.id })),
  });
  return (
    <>
      <button type="button" disabled={begin.isPending} onClick={() => begin.mutate(newKey())} title="Runs what failed or had not run yet; reuses the rest">
        {begin.isPending ? "Beginning…" : "Resume"}
      </button>
      {begin.error && (
        <p role="alert" className="bad family-error">
          {begin.error.message}{" "}
          <a href={formatRoute({ ...route, step: openAt(view), mode: "replay" })}>See what would run</a>
        </p>
      )}
    </>
  );
}

function Forks({ id, chain }: { id: string; chain: string }) {
  const forks = useForks(id, chain).data ?? [];
  const now = useNow();
  return forks.length === 0 ? null : (
    <details className="forks">
      <summary>{plural(forks.length, "fork")}</summary>
      <ul>
        {forks.map((fork) => (
          <li key={fork.id}>
            <StatusMark status={fork.status} />
            <a className="mono" href={formatRoute(runRoute(fork.id))}>
              {shortId(fork.id)}
            </a>
            <span className="muted">{ago(fork.started_at, now)}</span>
            <a href={formatRoute(compareRoute(id, fork.id))}>
              Compare<span className="visually-hidden"> with {shortId(fork.id)}</span>
            </a>
          </li>
        ))}
      </ul>
    </details>
  );
}
