// A try's request as JSON, and the ways to send it again from elsewhere.
import { useMemo } from "react";
import type { AttemptView } from "../api/types";
import { asCurl, asJson, asPython, requestOf } from "../lib/request";
import { CopyButton } from "./CopyButton";

export function RequestView({ attempt, schema }: { attempt: AttemptView; schema: string | null }) {
  const request = useMemo(() => requestOf(attempt, schema), [attempt, schema]);
  const json = useMemo(() => asJson(request.body), [request]);
  return (
    <div className="request">
      <p className="muted">
        In the form of the OpenAI API. The commands read <code>CHAINLAB_BASE_URL</code> and <code>API_KEY</code> from the
        environment.
      </p>
      {request.notes.map((note) => (
        <p key={note} className="note">
          {note}
        </p>
      ))}
      <div className="value">
        <div className="value-tools">
          <span className="muted">Request of attempt {attempt.n}</span>
          {/* What is not whole would be another request: it is shown, and not handed out. */}
          {request.whole && (
            <>
              <CopyButton text={asCurl(request.body)} label="Copy as curl" />
              <CopyButton text={asPython(request.body)} label="Copy as Python" />
              <CopyButton text={json} label="Copy JSON" />
            </>
          )}
        </div>
        {/* oxlint-disable-next-line jsx-a11y/no-noninteractive-tabindex -- long text scrolls, so keys must reach it */}
        <pre className="prompt" tabIndex={0} role="region" aria-label="Request">
          {json}
        </pre>
      </div>
    </div>
  );
}
