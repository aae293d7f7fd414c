// A step's output, set by hand: text where the step gives text, else JSON. The server checks it against the step's type.
import type { StepView } from "../api/types";
import type { Base, Draft } from "../lib/draft";
import { ValueView } from "../trace/ValueView";

type Props = {
  base: Base;
  step: StepView;
  draft: Draft;
  wrong: boolean;
  describedBy: string;
  onChange: (part: Partial<Draft>) => void;
};

export function OutputEditor({ base, step, draft, wrong, describedBy, onChange }: Props) {
  const schema = step.definition?.output_schema;
  return (
    <section className="message" aria-label="Output">
      <div className="message-head">
        <h2>Output</h2>
        <span className="muted">{base.textOutput ? "text" : "JSON"}</span>
      </div>
      <textarea
        className="output-area mono"
        aria-label="Output of the step"
        aria-invalid={wrong || undefined}
        aria-describedby={describedBy}
        spellCheck={false}
        rows={12}
        value={draft.output ?? base.output}
        onChange={(event) => onChange({ output: event.target.value })}
      />
      {step.output?.cut && <p className="cut">The recorded output is too large to be edited here. What you write replaces it.</p>}
      {schema && !base.textOutput && (
        <details className="output-type">
          <summary>Output type</summary>
          <ValueView text={{ text: schema, size: schema.length, cut: false, hash: null }} label="JSON Schema of the output" />
        </details>
      )}
    </section>
  );
}
