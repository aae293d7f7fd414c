// What the model wrote, and what its backend answered, per attempt.
import type { AttemptView } from "../api/types";
import { firstLine } from "../lib/format";
import { AttemptPicker, usePicked } from "./AttemptPicker";
import { ValueView } from "./ValueView";
import { WholeText } from "./WholeText";

export function ReplyView({ attempts }: { attempts: readonly AttemptView[] }) {
  const [picked, pick] = usePicked(attempts);
  if (!picked) {
    return <p className="muted">There was no attempt.</p>;
  }
  return (
    <>
      <AttemptPicker attempts={attempts} picked={picked} onPick={pick} />
      {picked.error && (
        <p className="reply-error">
          <code className="code">{picked.error.code}</code> {firstLine(picked.error.message)}
        </p>
      )}
      {picked.reply ? (
        <WholeText text={picked.reply} label="Reply" className="prompt" />
      ) : (
        <p className="muted">{picked.status === "running" ? "Still waiting for the reply." : "No reply came."}</p>
      )}
      {picked.raw && (
        <details>
          <summary>The backend's whole answer</summary>
          <ValueView text={picked.raw} label="The backend's answer" />
        </details>
      )}
    </>
  );
}
