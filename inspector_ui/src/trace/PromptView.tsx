// The prompt exactly as it was sent, with what each variable printed marked. Text is text: no markup is made of it.
import { useMemo, useState } from "react";
import type { AttemptView, MessageView, SegmentView } from "../api/types";
import { bytes } from "../lib/format";
import { AttemptPicker, usePicked } from "./AttemptPicker";
import { CopyButton } from "./CopyButton";

export function PromptView({ attempts }: { attempts: readonly AttemptView[] }) {
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
            <button key={name} type="button" aria-pressed={lit === name} onClick={() => setLit(lit === name ? null : name)}>
              {name}
            </button>
          ))}
        </div>
      )}
      {picked.messages.map((message, i) => (
        <Message key={i} message={message} lit={lit} />
      ))}
      {picked.messages.length === 0 && <p className="muted">No message was recorded.</p>}
    </>
  );
}

export function Message({ message, lit }: { message: MessageView; lit: string | null }) {
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
          <Segment key={i} segment={segment} lit={lit} />
        ))}
      </pre>
    </section>
  );
}

const encoder = new TextEncoder();

function Segment({ segment, lit }: { segment: SegmentView; lit: string | null }) {
  const shown = encoder.encode(segment.text).length;
  const rest = segment.size - shown > 3 ? `\n[… ${bytes(segment.size - shown)} more, see Inputs …]\n` : "";
  if (segment.variable === null) {
    return segment.text + rest;
  }
  return (
    <mark title={`{{ ${segment.variable} }}`} className={lit === segment.variable ? "is-lit" : undefined}>
      {segment.text || <span className="nothing">empty</span>}
      {rest}
    </mark>
  );
}

function variablesOf(messages: readonly MessageView[]): string[] {
  const names = messages.flatMap((message) => message.segments.map((segment) => segment.variable));
  return [...new Set(names.filter((name) => name !== null))];
}
