// The drawing of a chain whose steps hold bodies: each body is laid out alone, then its holder is a box around it. Pure.
import type { Graph, GraphNode } from "../api/types";
import { type Box, layered, type Point, type Size } from "./layout";

export type DrawnNode = Box & { node: GraphNode; holds: boolean };
export type DrawnCaption = Point & { key: string; text: string };
export type DrawnGraph = Size & { nodes: DrawnNode[]; captions: DrawnCaption[]; routes: { key: string; points: Point[] }[] };

export const NODE: Size = { w: 208, h: 54 };
const HEAD = 54; // of a box that holds others
const PAD = 16;
const CAPTION = 20;

export function drawNested(graph: Graph): DrawnGraph {
  const drawing = drawBody(graph, graph.nodes.filter((node) => node.parent === null));
  // Holders first: they lie below what they hold.
  return { ...drawing, nodes: drawing.nodes.toSorted((a, b) => Number(b.holds) - Number(a.holds)) };
}

function drawBody(graph: Graph, nodes: readonly GraphNode[]): DrawnGraph {
  const inner = new Map(nodes.map((node) => [node.path, drawHeld(graph, node)]));
  const sizes = new Map(nodes.map((node) => [node.path, sizeOf(inner.get(node.path) ?? null)]));
  const here = graph.edges.filter((edge) => sizes.has(edge.source) && sizes.has(edge.target));
  const flat = layered(sizes, here);
  const drawn: DrawnGraph = { w: flat.w, h: flat.h, nodes: [], captions: [], routes: [] };
  for (const node of nodes) {
    const box = flat.boxes.get(node.path);
    if (box) {
      const held = inner.get(node.path) ?? null;
      drawn.nodes.push({ ...box, node, holds: held !== null });
      if (held) {
        add(drawn, held, box.x + Math.round((box.w - held.w) / 2), box.y + HEAD);
      }
    }
  }
  drawn.routes.push(...flat.routes.map(({ source, target, points }) => ({ key: `${source}→${target}`, points })));
  return drawn;
}

/** What a step holds, its bodies one below the other; null when it holds nothing. */
function drawHeld(graph: Graph, holder: GraphNode): DrawnGraph | null {
  const children = graph.nodes.filter((node) => node.parent === holder.path);
  if (children.length === 0) {
    return null;
  }
  const roles = [...new Set(children.map((node) => node.role))];
  const held: DrawnGraph = { w: 0, h: 0, nodes: [], captions: [], routes: [] };
  for (const role of roles) {
    const body = drawBody(graph, children.filter((node) => node.role === role));
    let y = held.h === 0 ? 0 : held.h + PAD / 2;
    if (role !== null && role !== "body") {
      held.captions.push({ key: `${holder.path}/${role}`, text: role, x: 0, y });
      y += CAPTION;
    }
    add(held, body, 0, y);
    held.w = Math.max(held.w, body.w);
    held.h = y + body.h;
  }
  return held;
}

function sizeOf(held: DrawnGraph | null): Size {
  return held ? { w: Math.max(NODE.w, held.w + 2 * PAD), h: HEAD + held.h + PAD } : NODE;
}

function add(to: DrawnGraph, part: DrawnGraph, x: number, y: number): void {
  const moved = <Thing extends Point>(thing: Thing): Thing => ({ ...thing, x: thing.x + x, y: thing.y + y });
  to.nodes.push(...part.nodes.map(moved));
  to.captions.push(...part.captions.map(moved));
  to.routes.push(...part.routes.map((route) => ({ ...route, points: route.points.map(moved) })));
}

export type Direction = "up" | "down" | "left" | "right";

/** The node that an arrow key leads to: the nearest one that lies in its direction. */
export function neighbour(nodes: readonly DrawnNode[], from: string, direction: Direction): string | null {
  const here = nodes.find((drawn) => drawn.node.path === from);
  if (!here) {
    return null;
  }
  let best: string | null = null;
  let least = Infinity;
  for (const other of nodes) {
    const [along, across] = offset(here, other, direction);
    const far = along + 2 * Math.abs(across);
    if (along > 4 && far < least) {
      least = far;
      best = other.node.path;
    }
  }
  return best;
}

// Measured between the heads of boxes, where their names stand.
function offset(from: Box, to: Box, direction: Direction): [number, number] {
  const dx = to.x + to.w / 2 - from.x - from.w / 2;
  const dy = to.y - from.y;
  switch (direction) {
    case "up":
      return [-dy, dx];
    case "down":
      return [dy, dx];
    case "left":
      return [-dx, dy];
    case "right":
      return [dx, dy];
  }
}
