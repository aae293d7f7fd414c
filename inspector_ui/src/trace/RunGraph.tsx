// The declared chain as boxes and lines, every box with what its steps came to. Boxes are buttons: arrow keys follow the
// drawing, Enter opens. The list of steps says the same in text.
import { useEffect, useMemo, useRef } from "react";
import type { Graph, GraphNode } from "../api/types";
import type { Point } from "../lib/layout";
import { type Direction, type DrawnNode, drawNested, neighbour } from "../lib/nested";
import { staticPath } from "../lib/steps";
import { StatusIcon } from "./StatusMark";

type Props = { graph: Graph; selected: string; onSelect: (declared: string) => void };

const ARROWS: Record<string, Direction> = { ArrowUp: "up", ArrowDown: "down", ArrowLeft: "left", ArrowRight: "right" };
const MARGIN = 20;

export function RunGraph({ graph, selected, onSelect }: Props) {
  const drawing = useMemo(() => drawNested(graph), [graph]);
  const frame = useRef<HTMLDivElement>(null);
  const declared = staticPath(selected);
  const current = drawing.nodes.some(({ node }) => node.path === declared) ? declared : (drawing.nodes[0]?.node.path ?? "");
  useEffect(() => {
    frame.current?.querySelector(`[data-path=${CSS.escape(current)}]`)?.scrollIntoView({ block: "nearest", inline: "nearest" });
  }, [current]);
  const move = (event: React.KeyboardEvent): void => {
    const direction = ARROWS[event.key];
    const from = event.target instanceof HTMLElement ? event.target.dataset["path"] : undefined;
    const to = direction && from !== undefined ? neighbour(drawing.nodes, from, direction) : null;
    if (to !== null) {
      event.preventDefault();
      frame.current?.querySelector<HTMLElement>(`[data-path=${CSS.escape(to)}]`)?.focus();
    }
  };
  const size = { width: drawing.w, height: drawing.h };
  return (
    // oxlint-disable-next-line jsx-a11y/no-noninteractive-element-interactions -- the keys are its buttons', heard together
    <div className="graph" ref={frame} role="group" aria-label="Graph of the chain" onKeyDown={move}>
      <div className="graph-canvas" style={{ ...size, margin: MARGIN }}>
        {drawing.nodes.filter((drawn) => drawn.holds).map((drawn) => (
          <Box key={drawn.node.path} drawn={drawn} />
        ))}
        <svg aria-hidden="true" className="edges" {...size}>
          <defs>
            <marker id="tip" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" orient="auto">
              <path d="M0 0.8L7 4 0 7.2z" />
            </marker>
          </defs>
          {drawing.routes.map((route) => (
            <path key={route.key} d={curve(route.points)} markerEnd="url(#tip)" />
          ))}
        </svg>
        {drawing.captions.map((caption) => (
          <span key={caption.key} className="caption" style={{ left: caption.x, top: caption.y }}>
            {caption.text}
          </span>
        ))}
        {drawing.nodes.map((drawn) => (
          <NodeButton
            key={drawn.node.path}
            drawn={drawn}
            selected={drawn.node.path === current}
            onSelect={() => onSelect(drawn.node.path)}
          />
        ))}
      </div>
    </div>
  );
}

function Box({ drawn }: { drawn: DrawnNode }) {
  return <div className="holder" style={{ left: drawn.x, top: drawn.y, width: drawn.w, height: drawn.h }} />;
}

function NodeButton({ drawn, selected, onSelect }: { drawn: DrawnNode; selected: boolean; onSelect: () => void }) {
  const { node } = drawn;
  const worst = node.counts[0];
  const total = node.counts.reduce((sum, each) => sum + each.count, 0);
  const style = { left: drawn.x, top: drawn.y, width: drawn.w };
  return (
    <button
      type="button"
      data-path={node.path}
      className={`node kind-${node.kind} ${drawn.holds ? "holds" : ""} ${selected ? "is-selected" : ""} ${worst ? `was-${worst.status}` : "was-none"}`}
      style={style}
      tabIndex={selected ? 0 : -1}
      aria-pressed={selected}
      aria-label={spoken(node, total)}
      title={`${node.label}: ${node.detail}`}
      onClick={onSelect}
    >
      {worst ? <StatusIcon status={worst.status} /> : <span className="no-status" aria-hidden="true" />}
      <span className="node-text">
        <span className="node-label">{node.label}</span>
        <span className="node-detail">
          {drawn.holds ? node.detail : `${node.kind} · ${node.detail}`}
        </span>
      </span>
      {total > 1 && <span className="fold">{fold(node, total)}</span>}
    </button>
  );
}

function fold(node: GraphNode, total: number): string {
  const first = node.counts[0];
  return first?.status === "failed" ? `${first.count} of ${total} failed` : `×${total}`;
}

function spoken(node: GraphNode, total: number): string {
  const counts = node.counts.map((each) => (total > 1 ? `${each.count} ${each.status}` : each.status)).join(", ");
  return `${node.label}, ${node.kind}, ${counts || "not begun"}`;
}

/** A line through points that leaves and enters boxes vertically. */
function curve(points: readonly Point[]): string {
  return points
    .map((point, i) => {
      const before = points[i - 1];
      if (!before) {
        return `M${point.x} ${point.y}`;
      }
      const middle = (before.y + point.y) / 2;
      return `C${before.x} ${middle} ${point.x} ${middle} ${point.x} ${point.y}`;
    })
    .join("");
}
