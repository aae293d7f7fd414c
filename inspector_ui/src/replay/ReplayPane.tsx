// One step's edit: typed on the left, rendered in the middle, what it would run on the right; then begun.
import { useMutation } from "@tanstack/react-query";
import { useEffect, useEffectEvent, useId, useMemo, useRef } from "react";
import { beginReplay, useAskPreview, usePreview } from "../api/queries";
import type { EditProblem, PlanView, Preview, RunView, StepView } from "../api/types";
import type { Variable } from "../lib/complete";
import { asked, baseOf, type Base, type Draft, editText, ownProblem } from "../lib/draft";
import { costText, count, firstLine, shortId } from "../lib/format";
import { parseJson } from "../lib/json";
import { callsText, changedSteps, runsText } from "../lib/plan";
import { inWhich, lineOf, offeredBind } from "../lib/problems";
import { staticPath } from "../lib/steps";
import { TryPane } from "../batch/TryPane";
import { BindList } from "./BindList";
import { newKey } from "./key";
import { OutputEditor } from "./OutputEditor";
import { Choices, PlanPanel } from "./PlanPanel";
import { PreviewPanel } from "./PreviewPanel";
import { ProblemList } from "./ProblemList";
import { SettingsRow } from "./SettingsRow";
import { TemplateEditor } from "./TemplateEditor";
import { useDebounced } from "./useDebounced";
import { useDraft } from "./useDraft";
import { VariableList } from "./VariableList";

const TYPING_MS = 250;

/** `on`: runs that the edit is meant for, beside this one. */
type Props = { run: RunView; step: StepView; on: readonly string[]; onClose: () => void; onBegun: (runId: string) => void };

export function ReplayPane({ run, step, on, onClose, onBegun }: Props) {
  const base = useMemo(() => baseOf(step), [step]);
  const { draft, change, discard, restored } = useDraft(run.run.id, base);
  const variables = useMemo(() => variablesOf(step), [step]);
  const replay = useReplay(run.run.id, draft, base, onBegun);
  const { preview, problems } = replay;
  const problemsId = useId();
  const pane = useRef<HTMLElement>(null);
  const template = draft.template ?? base.template;
  const system = draft.system ?? base.system;
  // A binding is wiring, which all items of a step share.
  const bind = (name: string): void => change({ bind: { ...draft.bind, [name]: name }, whole: true });
  const offered = problems.map(offeredBind).find((name) => name !== null) ?? null;
  useKeys({ run: replay.begin, close: onClose, fix: offered === null ? null : () => bind(offered) });
  const goTo = (line: number): void => toLine(pane.current, line);
  return (
    <section className="replay" aria-label={`Replay of ${step.path}`} ref={pane}>
      <header className="replay-head">
        <h1>
          Replay <span className="mono">{step.path}</span>
        </h1>
        <span className="muted">
          of {run.run.chain} <span className="mono">{shortId(run.run.id)}</span>
        </span>
        <div className="replay-tools">
          {restored && <span className="muted">Your draft from before.</span>}
          <button type="button" className="quiet" onClick={discard}>
            Discard edits
          </button>
          <button type="button" onClick={onClose}>
            Close <kbd>Esc</kbd>
          </button>
        </div>
      </header>
      <div className="replay-body">
        <div className="replay-edit">
          <Why step={step} />
          {base.prompt && <What value={draft.what} onChange={(what) => change({ what })} />}
          {draft.what === "output" ? (
            <OutputEditor
              base={base}
              step={step}
              draft={draft}
              wrong={problems.length > 0}
              describedBy={problemsId}
              onChange={change}
            />
          ) : (
            <>
              {system !== null && (
                <Message
                  title="System"
                  value={system}
                  onChange={(text) => change({ system: text })}
                  variables={variables}
                  wrong={wrongLines(problems, template, system, "system")}
                />
              )}
              <Message
                title="Template"
                value={template}
                onChange={(text) => change({ template: text })}
                variables={variables}
                wrong={wrongLines(problems, template, system ?? "", "template")}
                describedBy={problemsId}
                focused
              />
            </>
          )}
          <ProblemList id={problemsId} problems={problems} template={template} onLine={goTo} onBind={bind} />
          {draft.what === "step" && (
            <>
              <BindList bind={draft.bind} onChange={(next) => change({ bind: next })} />
              <SettingsRow base={base} draft={draft} onChange={change} />
            </>
          )}
          {staticPath(step.path) !== step.path && (
            <Choices
              legend="Edit"
              choices={{ one: `Only ${step.path}`, all: `Every ${staticPath(step.path)}` }}
              value={draft.whole ? "all" : "one"}
              onChange={(which) => change({ whole: which === "all" })}
            />
          )}
          {draft.what === "step" && <VariableList variables={variables} inputs={step.inputs} />}
        </div>
        {base.prompt && draft.what === "step" && <PreviewPanel preview={preview} step={step} waiting={!replay.settled} failed={replay.failed} />}
        <PlanPanel plan={preview?.plan ?? null} draft={draft} onChange={change}>
          <TryPane run={run.run.id} chain={run.run.chain} edit={editText(draft, base)} draft={draft} on={on} />
        </PlanPanel>
      </div>
      <footer className="replay-bar">
        <p className="replay-says" role="status">
          {replay.says}
        </p>
        <button type="button" className="primary" disabled={replay.blocked} onClick={replay.begin}>
          {preview?.plan ? runsText(preview.plan) : "Run"} <kbd>{MOD} ⏎</kbd>
        </button>
      </footer>
    </section>
  );
}

const MOD = navigator.userAgent.includes("Mac") ? "⌘" : "Ctrl";

type Replay = {
  preview: Preview | undefined;
  problems: readonly EditProblem[];
  settled: boolean;
  failed: boolean;
  blocked: boolean;
  says: React.ReactNode;
  begin: () => void;
};

/** Asks what the draft would do, and begins it: once, however often somebody presses. */
function useReplay(runId: string, draft: Draft, base: Base, onBegun: (runId: string) => void): Replay {
  const edit = editText(draft, base);
  const own = ownProblem(draft, base);
  const body = asked(draft, edit, `"step":${JSON.stringify(base.path)}`);
  const next = own === null ? body : null; // what is wrong by itself, as text that is not JSON, is never sent
  const sent = useDebounced(next, TYPING_MS);
  const query = usePreview(runId, sent);
  const key = useRef({ body: "", key: "" });
  const ask = useAskPreview();
  const begin = useMutation({
    mutationFn: async () => {
      // Pressed while the last answer is on its way: begun only when that says that it can be.
      if (own !== null || !canBegin(await ask(runId, body))) {
        return null;
      }
      if (key.current.body !== body) {
        key.current = { body, key: newKey() };
      }
      return beginReplay(runId, asked(draft, edit, `"idempotency_key":"${key.current.key}"`));
    },
    onSuccess: (begun) => begun && onBegun(begun.run_id),
  });
  const preview = query.data;
  const settled = next === sent && !query.isFetching;
  const problems = own === null ? problemsOf(preview) : [ownAsProblem(own, base.path)];
  const { mutate, isPending } = begin;
  return {
    preview,
    problems,
    settled,
    failed: query.error !== null,
    blocked: own !== null || isPending || (settled && !canBegin(preview)),
    says: saying(query.error ?? begin.error, problems, preview?.plan ?? null, isPending),
    begin: () => {
      if (!isPending) {
        mutate();
      }
    },
  };
}

function canBegin(preview: Preview | undefined): boolean {
  return preview?.plan ? problemsOf(preview).length === 0 && changedSteps(preview.plan) > 0 : false;
}

function problemsOf(preview: Preview | undefined): readonly EditProblem[] {
  const refused = preview?.plan?.refused;
  return refused ? [...preview.problems, refused] : (preview?.problems ?? []);
}

function ownAsProblem(message: string, step: string): EditProblem {
  return { code: "bad-edit", message, step, line: null, expected: null, got: null, remedy: "" };
}

function saying(error: Error | null, problems: readonly EditProblem[], plan: PlanView | null, begins: boolean): React.ReactNode {
  if (begins) {
    return "Beginning…";
  }
  if (error) {
    return <span className="bad">{error.message}</span>;
  }
  const first = problems[0];
  if (first) {
    return <span className="bad">{first.message}</span>;
  }
  if (!plan) {
    return "Checking…";
  }
  if (changedSteps(plan) === 0) {
    return "Nothing would run: edit something first.";
  }
  return [callsText(plan), costText(plan.cost_nano), `${count(plan.calls_left)} calls left`].join(" · ");
}

type Keys = { run: () => void; close: () => void; fix: (() => void) | null };

function useKeys({ run, close, fix }: Keys): void {
  const pressed = useEffectEvent((event: KeyboardEvent): void => {
    if (event.defaultPrevented || document.querySelector("dialog[open]")) {
      return;
    }
    const mod = event.ctrlKey || event.metaKey;
    if (mod && event.key === "Enter") {
      run();
    } else if (mod && event.key === "." && fix) {
      fix();
    } else if (event.key === "Escape") {
      close();
    } else {
      return;
    }
    event.preventDefault();
  });
  useEffect(() => {
    window.addEventListener("keydown", pressed);
    return () => window.removeEventListener("keydown", pressed);
  }, []);
}

function variablesOf(step: StepView): Variable[] {
  const values = new Map(step.inputs.map((input) => [input.name, input.value]));
  const names = new Set([...(step.definition?.arguments ?? []).map((argument) => argument.name), ...values.keys()]);
  return [...names].map((name) => {
    const value = values.get(name);
    return { name, node: value && !value.cut ? parseJson(value.text) : null };
  });
}

function wrongLines(
  problems: readonly EditProblem[],
  template: string,
  system: string,
  which: "template" | "system",
): ReadonlySet<number> {
  const own = problems.filter((problem) => inWhich(problem, template, system) === which);
  const lines = own.map((problem) => lineOf(problem, which === "template" ? template : system));
  return new Set(lines.filter((line) => line !== null));
}

function toLine(pane: HTMLElement | null, line: number): void {
  // The template stands below the system message.
  const target = [...(pane?.querySelectorAll<HTMLTextAreaElement>(".editor textarea") ?? [])].at(-1);
  if (target) {
    const lines = target.value.split("\n");
    const start = lines.slice(0, line - 1).reduce((sum, text) => sum + text.length + 1, 0);
    target.focus();
    target.setSelectionRange(start, start + (lines[line - 1]?.length ?? 0));
  }
}

type MessageProps = {
  title: string;
  value: string;
  onChange: (value: string) => void;
  variables: readonly Variable[];
  wrong: ReadonlySet<number>;
  describedBy?: string;
  focused?: boolean;
};

function Message({ title, ...rest }: MessageProps) {
  return (
    <section className="message" aria-label={title}>
      <div className="message-head">
        <h2>{title}</h2>
        <span className="muted">names after {"{{"}: ↑↓ and Enter</span>
      </div>
      <TemplateEditor label={`${title} of the step`} {...rest} />
    </section>
  );
}

function What({ value, onChange }: { value: Draft["what"]; onChange: (what: Draft["what"]) => void }) {
  return (
    <div className="switch" role="group" aria-label="What is edited">
      <button type="button" aria-pressed={value === "step"} onClick={() => onChange("step")}>
        Prompt
      </button>
      <button type="button" aria-pressed={value === "output"} onClick={() => onChange("output")}>
        Output by hand
      </button>
    </div>
  );
}

/** Why one is here: the step's error stays in sight. */
function Why({ step }: { step: StepView }) {
  const error = step.row?.error;
  return error ? (
    <details className="failure replay-why">
      <summary>
        <code className="code">{error.code}</code> {firstLine(error.message)}
      </summary>
      <pre>{error.message}</pre>
    </details>
  ) : null;
}
