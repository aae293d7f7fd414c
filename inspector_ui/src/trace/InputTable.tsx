// Parameters: name, where the value came from, and the value.
import type { Input } from "../api/types";
import { ValueView } from "./ValueView";

type Props = { inputs: readonly Input[]; hrefOf: (step: string) => string };

export function InputTable({ inputs, hrefOf }: Props) {
  if (inputs.length === 0) {
    return <p className="muted">None.</p>;
  }
  return (
    <ul className="inputs">
      {inputs.map((input) => (
        <li key={input.name}>
          <div className="input-head">
            <span className="mono input-name">{input.name}</span>
            <Origin input={input} hrefOf={hrefOf} />
          </div>
          <ValueView text={input.value} label={`Value of ${input.name}`} />
        </li>
      ))}
    </ul>
  );
}

function Origin({ input, hrefOf }: { input: Input; hrefOf: (step: string) => string }) {
  const named = input.from_field ?? "";
  const field = named === "" || named.startsWith("[") ? named : `.${named}`;
  if (input.from_path === null) {
    return <span className="muted">constant</span>;
  }
  if (input.from_path === "$input") {
    return <span className="muted">from the run's input{input.from_field ? ` ${input.from_field}` : ""}</span>;
  }
  return (
    <span className="muted">
      from{" "}
      <a className="mono" href={hrefOf(input.from_path)}>
        {input.from_path}
        {field}
      </a>
    </span>
  );
}
