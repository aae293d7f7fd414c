// Model and sampling of an edit. Empty: as declared.
import { useId } from "react";
import { useModels } from "../api/queries";
import type { Base, Draft } from "../lib/draft";

type Props = { base: Base; draft: Draft; onChange: (part: Partial<Draft>) => void };

export function SettingsRow({ base, draft, onChange }: Props) {
  const id = useId();
  // Names in brackets, and those with a place to fill in, say where models come from; they are none.
  const models = (useModels().data ?? []).filter(({ name }) => !name.startsWith("(") && !name.endsWith(":MODEL"));
  return (
    <div className="settings-row">
      <div className="field">
        <label htmlFor={`${id}-model`}>Model</label>
        <select id={`${id}-model`} value={draft.model} onChange={(event) => onChange({ model: event.target.value })}>
          <option value="">{base.model || "as declared"}</option>
          {models
            .filter(({ name }) => name !== base.model)
            .map(({ name, target, ready }) => (
              <option key={name} value={name}>
                {name}
                {target && target !== name ? ` (${target})` : ""}
                {ready ? "" : ", not ready"}
              </option>
            ))}
        </select>
      </div>
      <NumberField id={`${id}-t`} label="Temperature" was={base.temperature} value={draft.temperature} step="0.1" onChange={(temperature) => onChange({ temperature })} />
      <NumberField id={`${id}-m`} label="Max tokens" was={base.maxTokens} value={draft.maxTokens} step="1" onChange={(maxTokens) => onChange({ maxTokens })} />
      <NumberField id={`${id}-s`} label="Seed" was={base.seed} value={draft.seed} step="1" onChange={(seed) => onChange({ seed })} />
    </div>
  );
}

type FieldProps = { id: string; label: string; was: string; value: string; step: string; onChange: (value: string) => void };

function NumberField({ id, label, was, value, step, onChange }: FieldProps) {
  return (
    <div className="field is-number">
      <label htmlFor={id}>{label}</label>
      <input
        id={id}
        inputMode={step === "1" ? "numeric" : "decimal"}
        value={value}
        placeholder={was || "default"}
        autoComplete="off"
        onChange={(event) => onChange(event.target.value)}
      />
    </div>
  );
}
