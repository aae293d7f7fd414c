// One step in both runs: what it was told, what it got, what it gave, and where the two differ.
import type { ReactNode } from "react";
import type { Comparison, MessageDiff, SettingDiff, StepComparison, StepDiff } from "../api/types";
import { movedFrom, pathOf } from "../lib/compared";
import { cost, count, duration } from "../lib/format";
import { formatRoute, runRoute } from "../lib/route";
import { StatusMark } from "../trace/StatusMark";
import { TextDiffView } from "./TextDiffView";
import { ValueDiffView } from "./ValueDiffView";
import { VerdictMark } from "./VerdictMark";

type Props = { comparison: Comparison; step: StepComparison; diff: StepDiff };

export function StepDifference({ comparison, step, diff }: Props) {
  const from = movedFrom(step);
  return (
    <article className="difference">
      <header className="difference-head">
        <VerdictMark step={step} />
        <h2 className="mono">{pathOf(step)}</h2>
        {from && <span className="muted mono">in a: {from}</span>}
        <span className="difference-links">
          {step.a && <a href={formatRoute(runRoute(comparison.a.id, { step: step.a.path }))}>Open in a</a>}
          {step.b && <a href={formatRoute(runRoute(comparison.b.id, { step: step.b.path }))}>Open in b</a>}
        </span>
      </header>
      <Sides step={step} />
      {diff.error && (
        <Part title="Error">
          <ErrorSide name="a" error={diff.error.before} />
          <ErrorSide name="b" error={diff.error.after} />
        </Part>
      )}
      <Messages title="Template" messages={diff.templates} />
      {diff.settings.length > 0 && (
        <Part title="Model and settings">
          <Settings settings={diff.settings} />
        </Part>
      )}
      {diff.inputs.map((input) => (
        <Part key={input.name} title="Input" detail={input.name}>
          <ValueDiffView diff={input.value} label={`Input ${input.name}`} />
        </Part>
      ))}
      <Messages title="Prompt" messages={diff.prompt} />
      {diff.output && (
        <Part title="Output">
          <ValueDiffView diff={diff.output} label="Output" />
        </Part>
      )}
      {diff.reply && (
        <Part title="Reply" detail="what the model wrote last">
          <TextDiffView diff={diff.reply} label="Reply" />
        </Part>
      )}
      {isBare(diff) && <Bare step={step} />}
    </article>
  );
}

function isBare(diff: StepDiff): boolean {
  const lists = [diff.templates, diff.settings, diff.inputs, diff.prompt];
  return lists.every((list) => list.length === 0) && !diff.output && !diff.reply && !diff.error;
}

function Bare({ step }: { step: StepComparison }) {
  const words = {
    same: "Both runs ran this step, and nothing differs.",
    reused: "One run took the output over from the other: it is the same value.",
    changed: "Nothing more is recorded of what differs.",
    "only-a": "Run b has no such step.",
    "only-b": "Run a has no such step.",
  };
  return <p className="muted padded">{words[step.verdict]}</p>;
}

function Sides({ step }: { step: StepComparison }) {
  return (
    <table className="sides">
      <thead>
        <tr>
          <th scope="col">
            <span className="visually-hidden">Run</span>
          </th>
          <th scope="col">Status</th>
          <th scope="col">Took</th>
          <th scope="col">Tokens in / out</th>
          <th scope="col">Tries</th>
          <th scope="col">Cost</th>
        </tr>
      </thead>
      <tbody>
        {([["a", step.a], ["b", step.b]] as const).map(
          ([name, row]) =>
            row && (
              <tr key={name}>
                <th scope="row">{name}</th>
                <td>
                  <StatusMark status={row.status} />
                </td>
                <td>{duration(row.duration_us)}</td>
                <td>{row.tokens_out === null ? "–" : `${count(row.tokens_in)} / ${count(row.tokens_out)}`}</td>
                <td>{row.attempts || "–"}</td>
                <td>{cost(row.cost_nano)}</td>
              </tr>
            ),
        )}
      </tbody>
    </table>
  );
}

export function Part({ title, detail, children }: { title: string; detail?: string; children: ReactNode }) {
  return (
    <section className="message part" aria-label={detail ? `${title} ${detail}` : title}>
      <div className="message-head">
        <h3>{title}</h3>
        {detail && <span className="muted">{detail}</span>}
      </div>
      {children}
    </section>
  );
}

function Messages({ title, messages }: { title: string; messages: readonly MessageDiff[] }) {
  return messages.map((message, i) => (
    <Part key={i} title={title} detail={message.role + (message.in_a && message.in_b ? "" : message.in_a ? ", only in a" : ", only in b")}>
      <TextDiffView diff={message.text} label={`${title}: ${message.role}`} />
    </Part>
  ));
}

function Settings({ settings }: { settings: readonly SettingDiff[] }) {
  return (
    <dl className="settings padded">
      {settings.map((setting) => (
        <div key={setting.name}>
          <dt>{setting.name}</dt>
          <dd className="mono">
            <del>{setting.before ?? "not set"}</del> <span aria-hidden="true">→</span> <ins>{setting.after ?? "not set"}</ins>
          </dd>
        </div>
      ))}
    </dl>
  );
}

function ErrorSide({ name, error }: { name: string; error: NonNullable<StepDiff["error"]>["before"] }) {
  return (
    <div className="error-side">
      <b>{name}</b>
      {error ? (
        <pre className="bad">
          <code className="code">{error.code}</code> {error.message}
        </pre>
      ) : (
        <span className="muted">no error</span>
      )}
    </div>
  );
}
