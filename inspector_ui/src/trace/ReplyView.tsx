// What the model wrote, and what its backend answered, per attempt.
import { useMemo, useState } from "react";
import { getPayload } from "../api/client";
import type { AttemptView } from "../api/types";
import { firstLine } from "../lib/format";
import { tokensOf } from "../lib/logprobs";
import { AttemptPicker, usePicked } from "./AttemptPicker";
import { Confidence } from "./Confidence";
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
      <Reply key={picked.n} attempt={picked} />
      {picked.raw && (
        <details>
          <summary>The backend's whole answer</summary>
          <ValueView text={picked.raw} label="The backend's answer" />
        </details>
      )}
    </>
  );
}

function Reply({ attempt }: { attempt: AttemptView }) {
  const confidence = useConfidence(attempt);
  if (!attempt.reply) {
    return <p className="muted">{attempt.status === "running" ? "Still waiting for the reply." : "No reply came."}</p>;
  }
  return (
    <>
      {confidence.offered && (
        <p className="confidence-switch">
          <button type="button" aria-pressed={confidence.answer !== null} onClick={confidence.turn}>
            Confidence of each token
          </button>
          {confidence.trouble && <span className="bad"> {confidence.trouble}</span>}
        </p>
      )}
      {confidence.answer === null ? (
        <WholeText text={attempt.reply} label="Reply" className="prompt" wrong={attempt.error?.message ?? ""} />
      ) : (
        <Confidence answer={confidence.answer} />
      )}
    </>
  );
}

/** The answer with its probabilities, when it is asked for. Answers that hold some are long: the rest is loaded first. */
function useConfidence({ raw, parameters }: AttemptView) {
  const [answer, setAnswer] = useState<string | null>(null);
  const [trouble, setTrouble] = useState("");
  const offered = useMemo(
    () => raw !== null && (raw.cut ? /"logprobs": ?true/.test(parameters?.text ?? "") : tokensOf(raw.text) !== null),
    [raw, parameters],
  );
  const turn = async (): Promise<void> => {
    if (answer !== null || !raw) {
      setAnswer(null);
      return;
    }
    try {
      setAnswer(raw.cut && raw.hash ? await getPayload(raw.hash) : raw.text);
      setTrouble("");
    } catch (error) {
      setTrouble(error instanceof Error ? error.message : "It could not be loaded.");
    }
  };
  return { offered, answer, trouble, turn };
}
