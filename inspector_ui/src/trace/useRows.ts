// The rows of a run's steps of which only those in sight are in the page, kept at the selected one.
import { useVirtualizer } from "@tanstack/react-virtual";
import { useEffect, useMemo, useRef } from "react";
import type { RunView, StepRow } from "../api/types";
import { depth } from "../lib/steps";

export function useRows(view: RunView, selected: string, height: number) {
  const frame = useRef<HTMLDivElement>(null);
  const parents = useMemo(() => new Map((view.graph?.nodes ?? []).map((node) => [node.path, node.parent])), [view.graph]);
  const virtual = useVirtualizer({
    count: view.steps.length,
    getScrollElement: () => frame.current,
    estimateSize: () => height,
    overscan: 12,
  });
  useEffect(() => virtual.measure(), [height, virtual]);
  const at = view.steps.findIndex((step) => step.path === selected);
  useEffect(() => {
    if (at >= 0) {
      virtual.scrollToIndex(at, { align: "auto" });
    }
  }, [at, virtual]);
  return { frame, virtual, levelOf: (step: StepRow): number => depth(step, parents) };
}
