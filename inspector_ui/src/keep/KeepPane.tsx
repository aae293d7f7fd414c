// A fork that is kept: what changes in the author's files, to be written where the server may, else to be copied.
import { useEffect, useRef } from "react";
import type { EditProblem, Keep, RunSummary } from "../api/types";
import { ago, clock, plural } from "../lib/format";
import { CopyButton } from "../trace/CopyButton";
import { LongText } from "../trace/LongText";
import { Trouble } from "../trace/States";
import { useNow } from "../trace/useNow";
import { DiffText } from "./DiffText";
import { useKeep, useKeepIt } from "./queries";

type Props = { fork: RunSummary; accept: boolean; onClose: () => void };

/** `accept`: somebody asked for it just now; it is kept as soon as it is known that it can be. */
export function KeepPane({ fork, accept, onClose }: Props) {
  const query = useKeep(fork.id, true);
  const keep = useKeepIt(fork.id);
  const pane = useRef<HTMLElement>(null);
  const asked = useRef(false);
  useEffect(() => pane.current?.focus(), []);
  const view = query.data;
  const written = keep.data?.applied ?? []; // by this pane: the next look at the files knows only what stands there
  const { mutate } = keep;
  useEffect(() => {
    if (accept && !asked.current && view && view.kept_at === null && !view.refused) {
      asked.current = true;
      mutate(false);
    }
  }, [accept, view, mutate]);
  return (
    <section className="keep" aria-label="Keep the fork" tabIndex={-1} ref={pane}>
      <header className="keep-head">
        <h2>Keep</h2>
        {view && <Kept view={view} written={written} />}
        <button type="button" onClick={onClose}>
          Close
        </button>
      </header>
      {query.isPending && <p className="muted">Looking at the files…</p>}
      {query.error && <Trouble error={query.error} retry={() => query.refetch()} />}
      {view && (
        <>
          <Actions view={view} keep={keep} written={written} />
          {view.patches.map((patch) => (
            <article key={`${patch.file} ${patch.line}`} className="patch">
              <header>
                <h3 className="mono">
                  {patch.file}:{patch.line}
                </h3>
                <CopyButton text={patch.diff} label="Copy patch" />
              </header>
              <DiffText text={patch.diff} label={`Patch of ${patch.file}`} />
              {patch.notes.map((note) => (
                <p key={note} className="note">
                  {note}
                </p>
              ))}
            </article>
          ))}
          <Unkept view={view} />
          <Notes view={view} />
        </>
      )}
    </section>
  );
}

function Kept({ view, written }: { view: Keep; written: readonly string[] }) {
  const now = useNow();
  return view.kept_at === null ? null : (
    <p className="kept" role="status" title={clock(view.kept_at)}>
      Kept {ago(view.kept_at, now)}
      {written.length > 0 ? `, and written to ${written.join(", ")}` : ""}
    </p>
  );
}

type ActionsProps = { view: Keep; keep: ReturnType<typeof useKeepIt>; written: readonly string[] };

function Actions({ view, keep, written }: ActionsProps) {
  const waiting = view.patches.length > 0 && written.length === 0;
  return (
    <div className="keep-actions">
      {view.refused && <Problem problem={view.refused} />}
      {view.kept_at === null && !view.refused && (
        <button type="button" className="primary" disabled={keep.isPending} onClick={() => keep.mutate(false)}>
          Keep this fork
        </button>
      )}
      {waiting && !view.refused && view.may_apply && (
        <button type="button" disabled={keep.isPending} onClick={() => keep.mutate(true)}>
          Write {plural(view.patches.length, "patch", "patches")} to the files
        </button>
      )}
      {waiting && !view.may_apply && (
        <p className="muted">
          This server writes no files (<code>chainlab inspect --allow-write</code> does): copy the patch, or run{" "}
          <code>chainlab keep {view.run_id} --apply</code>.
        </p>
      )}
      {view.in_place.length > 0 && <p className="muted">Stands in the files already: {view.in_place.join(", ")}.</p>}
      {keep.error && (
        <p role="alert" className="bad">
          {keep.error.message}
        </p>
      )}
    </div>
  );
}

function Unkept({ view }: { view: Keep }) {
  return view.problems.map((one) => (
    <article key={`${one.path} ${one.role}`} className="patch is-by-hand">
      <header>
        <h3>
          <span className="mono">{one.path}</span> {one.role}: to be changed by hand
        </h3>
        <CopyButton text={one.text} label="Copy the new text" />
      </header>
      <p className="muted">{one.where}</p>
      <Problem problem={one.problem} />
      <LongText className="prompt" label={`New text of ${one.path}`}>
        {one.text}
      </LongText>
    </article>
  ));
}

function Notes({ view }: { view: Keep }) {
  return view.advice.length + view.notes.length === 0 ? null : (
    <ul className="keep-notes">
      {view.advice.map((one) => (
        <li key={one.where + one.what}>
          {one.where && <span className="mono">{one.where}: </span>}
          {one.what}
        </li>
      ))}
      {view.notes.map((note) => (
        <li key={note}>{note}</li>
      ))}
    </ul>
  );
}

function Problem({ problem }: { problem: EditProblem }) {
  return (
    <div className="failure" role="alert">
      <p className="failure-head">
        <b>{problem.message}</b> <code className="code">{problem.code}</code>
      </p>
      {problem.expected && <p>Expected: {problem.expected}</p>}
      {problem.got && <p>Got: {problem.got}</p>}
      {problem.remedy && <p>{problem.remedy}</p>}
    </div>
  );
}
