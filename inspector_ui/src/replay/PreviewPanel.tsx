// The prompt as it would be sent, rendered from the recorded inputs while the template is typed.
import { useState } from "react";
import type { MessageView, Preview, StepView } from "../api/types";
import { Message } from "../trace/PromptView";

type Props = { preview: Preview | undefined; step: StepView; waiting: boolean; failed: boolean };

export function PreviewPanel({ preview, step, waiting, failed }: Props) {
  const [good, setGood] = useState<readonly MessageView[] | null>(null);
  if (preview?.messages && preview.messages !== good) {
    setGood(preview.messages);
  }
  const wrong = (preview?.problems.length ?? 0) > 0;
  const sent = step.attempts.at(-1)?.messages ?? [];
  const shown = preview?.messages ?? (wrong ? good : sent);
  return (
    <section className="preview" aria-label="Prompt preview" aria-busy={waiting}>
      <div className="preview-head">
        <h2>Prompt</h2>
        <span className="muted">{!preview && failed ? "as it was sent" : captionOf(preview, wrong, good !== null, sent.length > 0)}</span>
      </div>
      <div className={`preview-messages ${preview?.messages ? "" : "is-old"}`}>
        {shown?.map((message, i) => (
          <Message key={i} message={message} inputs={step.inputs} lit={null} />
        ))}
      </div>
    </section>
  );
}

function captionOf(preview: Preview | undefined, wrong: boolean, hadGood: boolean, wasSent: boolean): string {
  if (!preview) {
    return "being rendered";
  }
  if (preview.messages) {
    return "as it would be sent";
  }
  if (wrong) {
    return hadGood ? "before the mistake" : wasSent ? "as it was sent" : "known when the template is sound";
  }
  const runs = preview.plan?.steps.some((one) => one.action === "execute" || one.action === "decide") ?? false;
  const why = runs ? "what it gets is made by steps that run first" : "this step does not run";
  return wasSent ? `as it was sent; ${why}` : why;
}
