// What a template may name: each variable with its type and recorded value.
import type { Input } from "../api/types";
import { typeName, type Variable } from "../lib/complete";
import { ValueView } from "../trace/ValueView";

const EXCERPT = 90;

type Props = { variables: readonly Variable[]; inputs: readonly Input[] };

export function VariableList({ variables, inputs }: Props) {
  return (
    <section className="replay-variables" aria-label="Variables">
      <h2>Variables</h2>
      {variables.length === 0 && <p className="muted">This step takes none.</p>}
      <ul>
        {variables.map((variable) => {
          const input = inputs.find((one) => one.name === variable.name);
          return input ? (
            <li key={variable.name}>
              <details>
                <summary>
                  <span className="mono input-name">{variable.name}</span>
                  <span className="kind">{typeName(variable.node)}</span>
                  <span className="muted excerpt">{excerpt(variable, input)}</span>
                </summary>
                <ValueView text={input.value} label={`Value of ${variable.name}`} />
              </details>
            </li>
          ) : (
            <li key={variable.name}>
              <span className="mono input-name">{variable.name}</span> <span className="muted">made by a step that runs first</span>
            </li>
          );
        })}
      </ul>
    </section>
  );
}

function excerpt(variable: Variable, input: Input): string {
  const text = variable.node?.kind === "string" ? variable.node.value : input.value.text;
  return text.length > EXCERPT ? `${text.slice(0, EXCERPT)}…` : text;
}
