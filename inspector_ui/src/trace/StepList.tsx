// A run's steps in order, as links; only the rows in sight are in the page.
import { useMemo } from "react";
import type { RunView, StepRow } from "../api/types";
import { count, duration } from "../lib/format";
import { StatusIcon } from "./StatusMark";
import { useRows } from "./useRows";

type Props = { view: RunView; selected: string; hrefOf: (step: string) => string };

const ROW = 34;

export function StepList({ view, selected, hrefOf }: Props) {
  const { frame, virtual, levelOf } = useRows(view, selected, ROW);
  const span = useMemo(() => spanOf(view), [view]);
  return (
    <div className="steps" ref={frame}>
      <div className="steps-head" aria-hidden="true">
        <span />
        <span>Step</span>
        <span className="steps-bar">When</span>
        <span className="num">Tokens</span>
        <span className="num">Took</span>
      </div>
      <ul style={{ height: virtual.getTotalSize() }}>
        {virtual.getVirtualItems().map((item) => {
          const step = view.steps[item.index];
          return step ? (
            <li
              key={step.path}
              aria-setsize={view.steps.length}
              aria-posinset={item.index + 1}
              style={{ transform: `translateY(${item.start}px)` }}
            >
              <StepLine
                step={step}
                level={levelOf(step)}
                span={span}
                href={hrefOf(step.path)}
                selected={step.path === selected}
              />
            </li>
          ) : null;
        })}
      </ul>
    </div>
  );
}

type Span = { from: number; us: number };
type LineProps = { step: StepRow; level: number; span: Span; href: string; selected: boolean };

function StepLine({ step, level, span, href, selected }: LineProps) {
  return (
    <a href={href} className={`step-line ${selected ? "is-selected" : ""}`} aria-current={selected ? "true" : undefined}>
      <StatusIcon status={step.status} />
      <span className="step-name" style={{ paddingLeft: level * 14 }}>
        <span className="visually-hidden">{step.status} </span>
        <span className="mono">{step.path}</span>
        <span className="kind">{step.kind}</span>
        {step.attempts > 1 && <span className="tries">{step.attempts} tries</span>}
      </span>
      <Bar step={step} span={span} />
      <span className="num">{step.tokens_out === null ? "" : count((step.tokens_in ?? 0) + step.tokens_out)}</span>
      <span className="num">{step.status === "skipped" ? "" : duration(step.duration_us)}</span>
    </a>
  );
}

function Bar({ step, span }: { step: StepRow; span: Span }) {
  if (step.started_at === null || step.status === "skipped" || span.us <= 0) {
    return <span className="steps-bar" />;
  }
  const left = Math.min(99, (100 * (step.started_at - span.from)) / span.us);
  const open = step.duration_us ?? span.from + span.us - step.started_at;
  const width = Math.max(1, Math.min(100 - left, (100 * open) / span.us));
  return (
    <span className="steps-bar" aria-hidden="true">
      <span className={`bar is-${step.status}`} style={{ left: `${left}%`, width: `${width}%` }} />
    </span>
  );
}

function spanOf(view: RunView): Span {
  const from = view.run.started_at;
  const last = view.steps.reduce((end, step) => Math.max(end, (step.started_at ?? from) + (step.duration_us ?? 0)), from);
  return { from, us: Math.max(last - from, view.run.duration_us ?? 0) };
}
