// The prompt exactly as it was sent, with what each variable printed marked. Text is text: no markup is made of it.
import { useMemo, useState } from "react";
import type { AttemptView, Input, MessageView, SegmentView } from "../api/types";
import { bytes } from "../lib/format";
import { variableText } from "../lib/origin";
import { missing } from "../lib/request";
import { AttemptPicker, usePicked } from "./AttemptPicker";
import { CopyButton } from "./CopyButton";
import { RequestView } from "./RequestView";

type Props = { attempts: readonly AttemptView[]; inputs: readonly Input[]; schema: string | null };

/** `schema`: the JSON Schema of the step's output. */
export function PromptView({ attempts, inputs, schema }: Props) {
  const [picked, pick] = usePicked(attempts);
  const [lit, setLit] = useState<string | null>(null);
  const names = useMemo(() => variablesOf(picked?.messages ?? []), [picked]);
  if (!picked) {
    return <p className="muted">Nothing was sent.</p>;
  }
  return (
    <>
      <AttemptPicker attempts={attempts} picked={picked} onPick={pick} />
      {names.length > 0 && (
        <div className="variables" role="group" aria-label="Show where a variable was printed">
          <span className="muted">Variables</span>
          {names.map((name) => (
            <button
              key={name}
              type="button"
              aria-pressed={lit === name}
              title={variableText(name, inputs)}
              onClick={() => setLit(lit === name ? null : name)}
            >
              {name}
            </button>
          ))}
        </div>
      )}
      {picked.messages.map((message, i) => (
        <Message key={i} message={message} inputs={inputs} lit={lit} />
      ))}
      {picked.messages.length === 0 ? (
        <p className="muted">No message was recorded.</p>
      ) : (
        <Request key={picked.n} attempt={picked} schema={schema} />
      )}
    </>
  );
}

/** Made when it is opened: a long prompt is not written out twice for nobody. */
function Request({ attempt, schema }: { attempt: AttemptView; schema: string | null }) {
  const [open, setOpen] = useState(false);
  return (
    <details onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary>The request as JSON, curl or Python</summary>
      {open && <RequestView attempt={attempt} schema={schema} />}
    </details>
  );
}

type MessageProps = { message: MessageView; inputs: readonly Input[]; lit: string | null };

export function Message({ message, inputs, lit }: MessageProps) {
  const whole = message.segments.map((segment) => segment.text).join("");
  const size = message.segments.reduce((sum, segment) => sum + segment.size, 0);
  return (
    <section className="message" aria-label={`${message.role} message`}>
      <div className="message-head">
        <h3>{message.role}</h3>
        <span className="muted">{bytes(size)}</span>
        <CopyButton text={whole} />
      </div>
      <pre className="prompt">
        {message.segments.map((segment, i) => (
          <Segment key={i} segment={segment} inputs={inputs} lit={lit} />
        ))}
      </pre>
    </section>
  );
}

function Segment({ segment, inputs, lit }: { segment: SegmentView; inputs: readonly Input[]; lit: string | null }) {
  const lacks = missing(segment);
  const rest = lacks > 0 ? `\n[… ${bytes(lacks)} more, see Inputs …]\n` : "";
  if (segment.variable === null) {
    return segment.text + rest;
  }
  return (
    <mark title={variableText(segment.variable, inputs)} className={lit === segment.variable ? "is-lit" : undefined}>
      {segment.text || <span className="nothing">empty</span>}
      {rest}
    </mark>
  );
}

function variablesOf(messages: readonly MessageView[]): string[] {
  const names = messages.flatMap((message) => message.segments.map((segment) => segment.variable));
  return [...new Set(names.filter((name) => name !== null))];
}
