// Marked text is shown as it is written; drawn when somebody asks for that, by code that is loaded then.
import { lazy, Suspense, useState } from "react";
import { looksMarked } from "../lib/looksMarked";
import { Loading } from "./States";

const MarkdownView = lazy(() => import("./MarkdownView"));

type Switch = { button: React.ReactNode; drawn: React.ReactNode };

/** A button where the text has marks, and the drawing while it is pressed. */
export function useMarkdown(text: string | null, label: string): Switch {
  const [asked, setAsked] = useState(false);
  if (text === null || !looksMarked(text)) {
    return { button: null, drawn: null };
  }
  return {
    button: (
      <button type="button" className="quiet" aria-pressed={asked} onClick={() => setAsked(!asked)}>
        Markdown
      </button>
    ),
    drawn: asked ? (
      <Suspense fallback={<Loading rows={3} />}>
        <MarkdownView text={text} label={label} />
      </Suspense>
    ) : null,
  };
}
