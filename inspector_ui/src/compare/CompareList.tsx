// The steps of both runs, aligned, in rows that are drawn only where one looks.
import { useVirtualizer } from "@tanstack/react-virtual";
import { useEffect, useRef } from "react";
import type { StepComparison } from "../api/types";
import { movedFrom, pathOf } from "../lib/compared";
import { VerdictMark } from "./VerdictMark";

const ROW = 34;

type Props = { steps: readonly StepComparison[]; selected: string; hrefOf: (path: string) => string };

export function CompareList({ steps, selected, hrefOf }: Props) {
  const frame = useRef<HTMLDivElement>(null);
  const virtual = useVirtualizer({
    count: steps.length,
    getScrollElement: () => frame.current,
    estimateSize: () => ROW,
    overscan: 12,
  });
  const at = steps.findIndex((step) => pathOf(step) === selected);
  useEffect(() => {
    if (at >= 0) {
      virtual.scrollToIndex(at, { align: "auto" });
    }
  }, [at, virtual]);
  return (
    <div className="steps" ref={frame}>
      <ul aria-label="Steps of both runs" style={{ height: virtual.getTotalSize() }}>
        {virtual.getVirtualItems().map((item) => {
          const step = steps[item.index];
          return step ? (
            <li
              key={item.key}
              aria-setsize={steps.length}
              aria-posinset={item.index + 1}
              style={{ transform: `translateY(${item.start}px)` }}
            >
              <Row step={step} href={hrefOf(pathOf(step))} selected={item.index === at} />
            </li>
          ) : null;
        })}
      </ul>
    </div>
  );
}

function Row({ step, href, selected }: { step: StepComparison; href: string; selected: boolean }) {
  const from = movedFrom(step);
  const quiet = step.verdict === "same" || step.verdict === "reused";
  return (
    <a href={href} className={`compare-row ${quiet ? "is-quiet" : ""} ${selected ? "is-selected" : ""}`} aria-current={selected ? "true" : undefined}>
      <VerdictMark step={step} />
      <span className="step-name">
        <span className="mono">{pathOf(step)}</span>
        {from && <span className="muted mono">was {from}</span>}
      </span>
      <span className="muted compare-in">{quiet ? "" : step.differs.join(", ")}</span>
    </a>
  );
}
