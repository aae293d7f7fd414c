// What one step did on the line of time. Kinds differ by shape: dotted line, hatching, full, hollow; a post begins a try.
import type { StepRow } from "../api/types";
import { holdsSteps, partsOf, type Part, placed, type Span, stoodStill } from "../lib/timeline";

type Props = { step: StepRow; window: Span; now: number };

export function TimelineBar({ step, window, now }: Props) {
  if (stoodStill(step)) {
    return <Still step={step} window={window} />;
  }
  if (holdsSteps(step)) {
    const place = placed({ from: step.started_at ?? 0, us: step.duration_us ?? now - (step.started_at ?? 0) }, window);
    return place && <span className={`span-bar is-${step.status}`} style={style(place)} />;
  }
  const parts = partsOf(step, now);
  return (
    <>
      {parts.map((part, i) => {
        const place = placed(part, window);
        const begins = part.kind !== "wait" && part.n > 1 && before(parts, i) !== part.n;
        return (
          place && (
            <span key={i} className={`slice is-${step.status} slice-${kindOf(part)}`} style={style(place)}>
              {begins && place.left > 0 && <span className="try-post" />}
            </span>
          )
        );
      })}
    </>
  );
}

/** What was not run: a lozenge where it would have been, and the word. */
function Still({ step, window }: Omit<Props, "now">) {
  const at = step.started_at ?? step.finished_at;
  const place = at === null ? { left: 0 } : placed({ from: at, us: 0 }, window);
  return (
    place && (
      <span className={`still is-${step.status} ${place.left > 70 ? "is-late" : ""}`} style={{ left: `${place.left}%` }}>
        {step.status}
      </span>
    )
  );
}

function kindOf(part: Part): string {
  return part.kind === "work" && part.failed ? "failed" : part.kind;
}

/** The try that the piece of work before belongs to. */
function before(parts: readonly Part[], at: number): number {
  return parts.slice(0, at).findLast((part) => part.kind !== "wait")?.n ?? 1;
}

function style({ left, width }: { left: number; width: number }) {
  return { left: `${left}%`, width: `${width}%` };
}
