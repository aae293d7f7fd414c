// Every try of a step: why it was made, how it ended, what it took.
import type { AttemptView } from "../api/types";
import { REASONS } from "../lib/attempt";
import { firstLine } from "../lib/format";
import { AttemptFacts } from "./AttemptFacts";
import { StatusMark } from "./StatusMark";
import { ValueView } from "./ValueView";

export function AttemptList({ attempts }: { attempts: readonly AttemptView[] }) {
  return (
    <ol className="attempts">
      {attempts.map((attempt) => (
        <li key={attempt.n}>
          <div className="attempt-head">
            <h3>Attempt {attempt.n}</h3>
            <StatusMark status={attempt.status} />
            <span className="muted">
              {attempt.reason === "first" ? "" : `${attempt.reason}: `}
              {REASONS[attempt.reason]}
            </span>
          </div>
          {attempt.error && (
            <p className="reply-error">
              <code className="code">{attempt.error.code}</code> {firstLine(attempt.error.message)}
            </p>
          )}
          <AttemptFacts attempt={attempt} />
          {attempt.parameters && (
            <details>
              <summary>Parameters</summary>
              <ValueView text={attempt.parameters} label={`Parameters of attempt ${attempt.n}`} />
            </details>
          )}
        </li>
      ))}
    </ol>
  );
}
