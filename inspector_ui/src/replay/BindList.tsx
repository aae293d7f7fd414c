// New variables of an edited template, and the values of the chain that they are bound to.
import { useId } from "react";

type Bind = Readonly<Record<string, string>>;

export function BindList({ bind, onChange }: { bind: Bind; onChange: (bind: Bind) => void }) {
  const id = useId();
  const entries = Object.entries(bind);
  return entries.length === 0 ? null : (
    <ul className="binds" aria-label="Bound variables">
      {entries.map(([name, path]) => (
        <li key={name}>
          <label className="mono" htmlFor={`${id}-${name}`}>
            {name}
          </label>
          <span aria-hidden="true">←</span>
          <input
            id={`${id}-${name}`}
            className="mono"
            value={path}
            title="An input of the chain or a step before this one, with fields: extract.topics"
            onChange={(event) => onChange({ ...bind, [name]: event.target.value })}
          />
          <button
            type="button"
            className="quiet"
            onClick={() => onChange(Object.fromEntries(entries.filter(([other]) => other !== name)))}
          >
            Unbind<span className="visually-hidden"> {name}</span>
          </button>
        </li>
      ))}
    </ul>
  );
}
