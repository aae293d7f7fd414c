// What a replay would do, before it does: what runs and why, what is reused, what drifted and what to do about it.
import { useId } from "react";
import type { PlanView } from "../api/types";
import type { Draft, OnDrift, OnEffects, Scope } from "../lib/draft";
import { plural } from "../lib/format";
import { ACTIONS, groupsOf, type PlanGroup, whyText } from "../lib/plan";

const SHOWN = 60;
const SCOPES: Record<Scope, string> = {
  descendants: "This step and what follows it",
  changed: "This step and what gets other inputs",
  step: "This step only",
  all: "Every step",
};
const DRIFT: Record<OnDrift, string> = {
  refuse: "Stop here",
  rerun: "Run them again as they are now",
  reuse: "Reuse what was recorded",
};
const EFFECTS: Record<OnEffects, string> = {
  refuse: "Stop here",
  run: "Repeat their effects",
  skip: "Leave them out",
};

type Props = {
  plan: PlanView | null;
  draft: Draft;
  onChange: (part: Partial<Draft>) => void;
  children?: React.ReactNode;
};

export function PlanPanel({ plan, draft, onChange, children }: Props) {
  const id = useId();
  const asksForEffects = plan?.refused?.code === "effects" || draft.onEffects !== "refuse";
  return (
    <section className="plan" aria-label="What will run">
      <h2>What will run</h2>
      <div className="field">
        <label htmlFor={id}>Scope</label>
        <select id={id} value={draft.scope} onChange={(event) => onChange({ scope: event.target.value as Scope })}>
          {Object.entries(SCOPES).map(([scope, words]) => (
            <option key={scope} value={scope}>
              {words}
            </option>
          ))}
        </select>
      </div>
      {plan && plan.drift.length > 0 && <Drifted plan={plan} />}
      {plan && (plan.drift.length > 0 || draft.onDrift !== "refuse") && (
        <Choices
          legend="Steps that have drifted"
          choices={DRIFT}
          value={draft.onDrift}
          onChange={(onDrift) => onChange({ onDrift })}
        />
      )}
      {asksForEffects && (
        <Choices
          legend="Steps with effects"
          choices={EFFECTS}
          value={draft.onEffects}
          onChange={(onEffects) => onChange({ onEffects })}
        />
      )}
      {plan ? <Steps plan={plan} /> : <p className="muted">Known when the edit is sound.</p>}
      {plan && plan.unverifiable.length > 0 && (
        <p className="muted">
          {plural(plan.unverifiable.length, "reused reply", "reused replies")} of a hosted model: nobody can tell whether the
          model has changed since.
        </p>
      )}
      {plan?.notes.map((note, i) => (
        <p key={i} className="note">
          {note}
        </p>
      ))}
      {children}
    </section>
  );
}

function Steps({ plan }: { plan: PlanView }) {
  const groups = groupsOf(plan);
  return (
    <>
      <ul className="plan-steps">
        {groups.slice(0, SHOWN).map((group) => (
          <Group key={group.key} group={group} />
        ))}
      </ul>
      {groups.length > SHOWN && <p className="muted">and {plural(groups.length - SHOWN, "more group")} of steps</p>}
    </>
  );
}

function Group({ group }: { group: PlanGroup }) {
  return (
    <li className={`plan-step does-${group.action}`}>
      <span className="mono plan-path">
        {group.path}
        {group.count > 1 && <span className="fold">×{group.count}</span>}
      </span>
      <span className="plan-action">{ACTIONS[group.action]}</span>
      <span className="muted plan-why">
        {whyText(group.why)}
        {!group.sure && group.action === "execute" && ", how often is seen by running"}
      </span>
    </li>
  );
}

function Drifted({ plan }: { plan: PlanView }) {
  return (
    <ul className="drift" aria-label="Drift">
      {plan.drift.map((one, i) => (
        <li key={i} className={one.blocks ? "is-blocking" : ""}>
          {one.note}
        </li>
      ))}
    </ul>
  );
}

type ChoiceProps<Value extends string> = {
  legend: string;
  choices: Record<Value, string>;
  value: Value;
  onChange: (value: Value) => void;
};

export function Choices<Value extends string>({ legend, choices, value, onChange }: ChoiceProps<Value>) {
  const name = useId();
  return (
    <fieldset className="choices">
      <legend>{legend}</legend>
      {(Object.entries(choices) as [Value, string][]).map(([choice, words]) => (
        <label key={choice}>
          <input type="radio" name={name} checked={choice === value} onChange={() => onChange(choice)} />
          {words}
        </label>
      ))}
    </fieldset>
  );
}
