// Parameters: name, where the value came from, and the value.
import type { Input } from "../api/types";
import { originText } from "../lib/origin";
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
  const text = originText(input);
  if (input.from_path === null || input.from_path === "$input") {
    return <span className="muted">{text}</span>;
  }
  return (
    <span className="muted">
      from{" "}
      <a className="mono" href={hrefOf(input.from_path)}>
        {text.slice("from ".length)}
      </a>
    </span>
  );
}
