import { expect, test } from "vitest";
import type { Graph, GraphNode } from "../api/types";
import { drawNested, neighbour } from "./nested";

function node(path: string, parent: string | null = null, role: string | null = null): GraphNode {
  return { path, parent, role, kind: "prompt", label: path, detail: "", counts: [] };
}

const graph: Graph = {
  nodes: [node("a"), node("fan"), node("in1", "fan", "body"), node("in2", "fan", "body"), node("b")],
  edges: [
    { source: "a", target: "fan" },
    { source: "in1", target: "in2" },
    { source: "fan", target: "b" },
  ],
};

test("a body stands inside the box of its holder", () => {
  const drawn = drawNested(graph);
  const box = (path: string) => drawn.nodes.find((each) => each.node.path === path);
  const [fan, inner] = [box("fan"), box("in2")];
  expect(fan && inner && inner.x >= fan.x && inner.x + inner.w <= fan.x + fan.w).toBe(true);
  expect(fan && inner && inner.y > fan.y && inner.y + inner.h < fan.y + fan.h).toBe(true);
  expect(drawn.nodes[0]?.node.path).toBe("fan");
});

test("two branches stand below each other, each under its caption", () => {
  const drawn = drawNested({ nodes: [node("w"), node("x", "w", "then"), node("y", "w", "otherwise")], edges: [] });
  expect(drawn.captions.map((caption) => caption.text)).toEqual(["then", "otherwise"]);
  const [x, y] = ["x", "y"].map((path) => drawn.nodes.find((each) => each.node.path === path));
  expect(x && y && x.x === y.x && x.y + x.h < y.y).toBe(true);
});

test("arrow keys follow the drawing", () => {
  const { nodes } = drawNested(graph);
  expect(neighbour(nodes, "a", "down")).toBe("fan");
  expect(neighbour(nodes, "fan", "down")).toBe("in1");
  expect(neighbour(nodes, "b", "up")).toBe("in2");
  expect(neighbour(nodes, "a", "up")).toBeNull();
});
