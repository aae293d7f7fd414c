// Every try of a step: why it was made, how it ended, what it took.
import type { AttemptView } from "../api/types";
import { cost, count, duration, firstLine } from "../lib/format";
import { Fact } from "./RunHead";
import { StatusMark } from "./StatusMark";
import { ValueView } from "./ValueView";

const REASONS: Record<AttemptView["reason"], string> = {
  first: "first try",
  transport: "the backend could not be reached",
  validation: "the reply before did not fit the output type",
  fallback: "another model was asked",
  resume: "the run was resumed",
};

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
          <dl className="facts">
            <Fact name="Took" value={duration(attempt.duration_us)} />
            {attempt.ttft_us !== null && <Fact name="First token" value={duration(attempt.ttft_us)} />}
            {attempt.tokens_out !== null && (
              <Fact name="Tokens in / out" value={`${count(attempt.tokens_in)} / ${count(attempt.tokens_out)}`} />
            )}
            {attempt.finish_reason && <Fact name="Finished by" value={attempt.finish_reason} />}
            {attempt.http_status !== null && <Fact name="HTTP" value={String(attempt.http_status)} />}
            {attempt.backend && <Fact name="Backend" value={attempt.backend} />}
            {(attempt.served_model ?? attempt.base) && <Fact name="Served by" value={attempt.served_model ?? attempt.base ?? ""} />}
            {attempt.adapter && <Fact name="Adapter" value={attempt.adapter} />}
            {attempt.cost_nano !== null && <Fact name="Cost" value={cost(attempt.cost_nano)} />}
          </dl>
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
