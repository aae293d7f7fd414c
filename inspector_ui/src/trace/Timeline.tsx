// A run as a waterfall: one row a step, in order, over one axis of time. Only the rows in sight are in the page.
import { useMemo, useState } from "react";
import type { RunView, StepRow } from "../api/types";
import { duration } from "../lib/format";
import { isActive } from "../lib/steps";
import { placed, type Span, spanOf, stoodStill, ticksOf, told, windowOf, zooms } from "../lib/timeline";
import { useLetters } from "../routes/useLetters";
import { StatusIcon } from "./StatusMark";
import { TimelineBar } from "./TimelineBar";
import { TimelineTools } from "./TimelineTools";
import { useNarrow } from "./useNarrow";
import { useNow } from "./useNow";
import { useRows } from "./useRows";

type Props = { view: RunView; selected: string; hrefOf: (step: string) => string };

const ROW = 30;
const NARROW_ROW = 44; // its bar stands below its name

export function Timeline({ view, selected, hrefOf }: Props) {
  const narrow = useNarrow();
  const { frame, virtual, levelOf } = useRows(view, selected, narrow ? NARROW_ROW : ROW);
  const { run, steps } = view;
  const clock = useNow();
  const now = isActive(run.status) ? clock : null;
  const whole = useMemo(() => spanOf(run.started_at, run.duration_us, steps, now), [run, steps, now]);
  const [zoom, zoomTo] = useZoom(zooms(whole));
  const chosen = steps.find((step) => step.path === selected);
  const window = windowOf(whole, zoom, middleOf(chosen, whole));
  const ticks = ticksOf(whole, window, narrow ? 4 : 6);
  const until = now ?? whole.from + whole.us;
  return (
    <div className="timeline">
      <TimelineTools zoom={zoom} most={zooms(whole)} zoomTo={zoomTo} />
      <div className="timeline-rows" ref={frame}>
        <div className="timeline-head" aria-hidden="true">
          <span />
          <span className="timeline-title">Step</span>
          <span className="axis">
            {ticks.map((tick) => (
              <Mark key={tick.at} at={tick.at} window={window} label={tick.label} />
            ))}
          </span>
          <span className="num">Took</span>
        </div>
        <ul style={{ height: virtual.getTotalSize() }}>
          {virtual.getVirtualItems().map((item) => {
            const step = steps[item.index];
            return step ? (
              <li
                key={step.path}
                aria-setsize={steps.length}
                aria-posinset={item.index + 1}
                style={{ transform: `translateY(${item.start}px)`, height: item.size }}
              >
                <a
                  href={hrefOf(step.path)}
                  className={`timeline-row ${step.path === selected ? "is-selected" : ""}`}
                  aria-current={step.path === selected ? "true" : undefined}
                  data-path={step.path}
                >
                  <StatusIcon status={step.status} />
                  <span className="step-name" style={{ paddingLeft: levelOf(step) * (narrow ? 8 : 12) }}>
                    <span className="mono" title={step.path}>
                      {step.path}
                    </span>
                    <span className="visually-hidden"> {told(step, whole, until)}</span>
                  </span>
                  <span className="track" aria-hidden="true" title={told(step, whole, until)}>
                    {ticks.map((tick) => (
                      <Mark key={tick.at} at={tick.at} window={window} />
                    ))}
                    <TimelineBar step={step} window={window} now={until} />
                  </span>
                  <span className="num" aria-hidden="true">
                    {stoodStill(step) ? "" : duration(step.duration_us)}
                  </span>
                </a>
              </li>
            ) : null;
          })}
        </ul>
      </div>
    </div>
  );
}

function Mark({ at, window, label }: { at: number; window: Span; label?: string }) {
  const place = placed({ from: at, us: 0 }, window);
  return place ? (
    <span className="tick" style={{ left: `${place.left}%` }}>
      {label}
    </span>
  ) : null;
}

/** Zooms are powers of two, by button and by + - 0. */
function useZoom(most: number): [number, (zoom: number) => void] {
  const [wanted, setWanted] = useState(0);
  const zoom = Math.min(wanted, most);
  const zoomTo = (next: number): void => setWanted(Math.min(Math.max(next, 0), most));
  useLetters((key) => {
    const next = { "+": zoom + 1, "=": zoom + 1, "-": zoom - 1, "0": 0 }[key];
    if (next !== undefined) {
      zoomTo(next);
    }
    return next !== undefined;
  });
  return [zoom, zoomTo];
}

function middleOf(step: StepRow | undefined, whole: Span): number {
  return step && step.started_at !== null ? step.started_at + (step.duration_us ?? 0) / 2 : whole.from;
}
