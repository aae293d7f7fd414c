// Which attempt is shown, when there were several. The last one unless somebody chooses.
import { useState } from "react";
import type { AttemptView } from "../api/types";
import { StatusIcon } from "./StatusMark";

export function usePicked(attempts: readonly AttemptView[]): [AttemptView | undefined, (n: number) => void] {
  const [n, setN] = useState<number | null>(null);
  return [attempts.find((attempt) => attempt.n === n) ?? attempts.at(-1), setN];
}

type Props = { attempts: readonly AttemptView[]; picked: AttemptView; onPick: (n: number) => void };

export function AttemptPicker({ attempts, picked, onPick }: Props) {
  return attempts.length < 2 ? null : (
    <div className="switch attempt-picker" role="group" aria-label="Attempt">
      {attempts.map((attempt) => (
        <button key={attempt.n} type="button" aria-pressed={attempt.n === picked.n} onClick={() => onPick(attempt.n)}>
          <StatusIcon status={attempt.status} />
          {attempt.n} {attempt.reason}
          <span className="visually-hidden"> {attempt.status}</span>
        </button>
      ))}
    </div>
  );
}
