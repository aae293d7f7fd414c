// A layered drawing of a graph: ranks by longest path, few crossings by barycentres, straight runs by averaging. Pure.

export type Size = { w: number; h: number };
export type Box = Size & { x: number; y: number };
export type Edge = { source: string; target: string };
export type Point = { x: number; y: number };
export type Drawing = Size & { boxes: Map<string, Box>; routes: (Edge & { points: Point[] })[] };

const GAP_X = 28;
const GAP_Y = 34;
const BEND = 12; // width kept for an edge that passes a rank
const SWEEPS = 6;

type Cell = Size & { id: string; x: number; up: Cell[]; down: Cell[] };

export function layered(sizes: ReadonlyMap<string, Size>, edges: readonly Edge[]): Drawing {
  const ids = [...sizes.keys()];
  const known = edges.filter((edge) => sizes.has(edge.source) && sizes.has(edge.target) && edge.source !== edge.target);
  const rank = ranks(ids, known);
  const rows: Cell[][] = [];
  const cells = new Map<string, Cell>();
  const place = (id: string, size: Size, row: number): Cell => {
    const cell: Cell = { id, ...size, x: 0, up: [], down: [] };
    (rows[row] ??= []).push(cell);
    return cell;
  };
  for (const id of ids) {
    cells.set(id, place(id, sizes.get(id) ?? { w: 0, h: 0 }, rank.get(id) ?? 0));
  }
  const chains = known.map((edge) => thread(edge, rank, cells, place));
  for (let sweep = 0; sweep < SWEEPS; sweep += 1) {
    order(sweep % 2 === 0 ? rows : rows.toReversed(), sweep % 2 === 0 ? "up" : "down");
  }
  for (const row of rows) {
    pack(row);
  }
  for (let sweep = 0; sweep < SWEEPS; sweep += 1) {
    straighten(sweep % 2 === 0 ? rows : rows.toReversed(), sweep % 2 === 0 ? "up" : "down");
  }
  return drawn(rows, cells, chains, known);
}

function ranks(ids: readonly string[], edges: readonly Edge[]): Map<string, number> {
  const rank = new Map(ids.map((id) => [id, 0]));
  // At most one pass per node; a cycle (which no chain has) only ends the passes.
  for (let pass = 0, moved = true; moved && pass < ids.length; pass += 1) {
    moved = false;
    for (const { source, target } of edges) {
      const wanted = (rank.get(source) ?? 0) + 1;
      if (wanted > (rank.get(target) ?? 0) && wanted < ids.length) {
        rank.set(target, wanted);
        moved = true;
      }
    }
  }
  return rank;
}

/** The cells an edge passes: its ends, and one bend in every rank between. */
function thread(
  edge: Edge,
  rank: ReadonlyMap<string, number>,
  cells: ReadonlyMap<string, Cell>,
  place: (id: string, size: Size, row: number) => Cell,
): Cell[] {
  const ends = [cells.get(edge.source), cells.get(edge.target)];
  const [from, to] = [rank.get(edge.source) ?? 0, rank.get(edge.target) ?? 0];
  const bends = Array.from({ length: Math.max(0, to - from - 1) }, (_, i) => place("", { w: BEND, h: 0 }, from + i + 1));
  const chain = [ends[0], ...bends, ends[1]].filter((cell) => cell !== undefined);
  for (const [i, cell] of chain.entries()) {
    const next = chain[i + 1];
    if (next) {
      cell.down.push(next);
      next.up.push(cell);
    }
  }
  return chain;
}

function order(rows: Cell[][], side: "up" | "down"): void {
  const place = new Map<Cell, number>();
  for (const row of rows) {
    const wish = new Map(
      row.map((cell, i) => [cell, cell[side].length ? mean(cell[side].map((other) => place.get(other) ?? i)) : i]),
    );
    row.sort((a, b) => (wish.get(a) ?? 0) - (wish.get(b) ?? 0));
    for (const [i, cell] of row.entries()) {
      place.set(cell, i);
    }
  }
}

function pack(row: Cell[]): void {
  let x = 0;
  for (const cell of row) {
    cell.x = x;
    x += cell.w + GAP_X;
  }
}

function straighten(rows: Cell[][], side: "up" | "down"): void {
  for (const row of rows) {
    const wish = row.map((cell) => (cell[side].length ? mean(cell[side].map(centre)) - cell.w / 2 : cell.x));
    const right: number[] = [];
    for (const [i, cell] of row.entries()) {
      const before = row[i - 1];
      right[i] = Math.max(wish[i] ?? cell.x, before ? (right[i - 1] ?? 0) + before.w + GAP_X : -Infinity);
    }
    const left: number[] = [];
    for (const [i, cell] of [...row.entries()].toReversed()) {
      left[i] = Math.min(wish[i] ?? cell.x, (left[i + 1] ?? Infinity) - cell.w - GAP_X);
    }
    // Both keep the gaps, so their middle does too: neither side is favoured.
    for (const [i, cell] of row.entries()) {
      cell.x = ((right[i] ?? 0) + (left[i] ?? 0)) / 2;
    }
  }
}

function drawn(rows: Cell[][], cells: ReadonlyMap<string, Cell>, chains: Cell[][], edges: readonly Edge[]): Drawing {
  const least = rows.flat().reduce((x, cell) => Math.min(x, cell.x), Infinity);
  const tops = new Map<Cell, { y: number; h: number }>();
  let y = 0;
  let w = 0;
  for (const row of rows) {
    const h = Math.max(0, ...row.map((cell) => cell.h));
    for (const cell of row) {
      cell.x = Math.round(cell.x - least);
      tops.set(cell, { y, h });
      w = Math.max(w, cell.x + cell.w);
    }
    y += h + GAP_Y;
  }
  const boxes = new Map<string, Box>();
  for (const [id, cell] of cells) {
    boxes.set(id, { x: cell.x, y: tops.get(cell)?.y ?? 0, w: cell.w, h: cell.h });
  }
  const routes = edges.map((edge, i) => ({ ...edge, points: route(chains[i] ?? [], tops) }));
  return { w, h: Math.max(0, y - GAP_Y), boxes, routes };
}

function route(chain: readonly Cell[], tops: ReadonlyMap<Cell, { y: number; h: number }>): Point[] {
  return chain.flatMap((cell, i) => {
    const top = tops.get(cell) ?? { y: 0, h: 0 };
    const x = Math.round(centre(cell));
    if (i === 0) {
      return [{ x, y: top.y + cell.h }];
    }
    return i === chain.length - 1 ? [{ x, y: top.y }] : [{ x, y: top.y }, { x, y: top.y + top.h }];
  });
}

function centre(cell: Cell): number {
  return cell.x + cell.w / 2;
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
