import { expect, test } from "vitest";
import { type Box, type Edge, layered, type Size } from "./layout";

const SIZE: Size = { w: 200, h: 50 };

function graph(n: number, edges: Edge[]) {
  return layered(new Map(Array.from({ length: n }, (_, i) => [`n${i}`, SIZE])), edges);
}

function overlaps(boxes: Iterable<Box>): boolean {
  const all = [...boxes];
  return all.some((a, i) =>
    all.slice(i + 1).some((b) => a.x < b.x + b.w && b.x < a.x + a.w && a.y < b.y + b.h && b.y < a.y + a.h),
  );
}

test("an empty graph has no size", () => {
  expect(layered(new Map(), [])).toMatchObject({ w: 0, h: 0 });
});

test("a linear chain stands straight", () => {
  const { boxes, w } = graph(4, [0, 1, 2].map((i) => ({ source: `n${i}`, target: `n${i + 1}` })));
  expect(new Set([...boxes.values()].map((box) => box.x)).size).toBe(1);
  expect(w).toBe(SIZE.w);
});

test("no two of 300 steps overlap, and every edge points down", () => {
  const edges: Edge[] = [];
  for (let i = 1; i < 300; i += 1) {
    for (const back of [1 + (i % 7), 3 + (i % 19)]) {
      if (i - back >= 0) {
        edges.push({ source: `n${i - back}`, target: `n${i}` });
      }
    }
  }
  const { boxes, routes } = graph(300, edges);
  expect(overlaps(boxes.values())).toBe(false);
  for (const { points } of routes) {
    for (const [i, point] of points.entries()) {
      expect(point.y).toBeGreaterThanOrEqual(points[i - 1]?.y ?? 0);
    }
  }
});

test("a diamond is symmetric", () => {
  const { boxes } = graph(4, [
    { source: "n0", target: "n1" },
    { source: "n0", target: "n2" },
    { source: "n1", target: "n3" },
    { source: "n2", target: "n3" },
  ]);
  const x = (id: string): number => boxes.get(id)?.x ?? NaN;
  expect(x("n0")).toBe(x("n3"));
  expect(x("n0")).toBeCloseTo((x("n1") + x("n2")) / 2, 0);
});

test("a cycle, which no chain has, still ends", () => {
  const { boxes } = graph(2, [
    { source: "n0", target: "n1" },
    { source: "n1", target: "n0" },
  ]);
  expect(overlaps(boxes.values())).toBe(false);
});

test("sizes differ and nothing overlaps", () => {
  const sizes = new Map(Array.from({ length: 20 }, (_, i) => [`n${i}`, { w: 80 + (i % 5) * 90, h: 40 + (i % 3) * 60 }]));
  const edges = Array.from({ length: 19 }, (_, i) => ({ source: `n${Math.floor(i / 3)}`, target: `n${i + 1}` }));
  expect(overlaps(layered(sizes, edges).boxes.values())).toBe(false);
});
