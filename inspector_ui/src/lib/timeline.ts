// A run on a line of time: what each step did when, the part of time in sight, the marks of its axis. Pure; microseconds.
import type { StepRow } from "../api/types";
import { duration, plural } from "./format";

export type Span = { from: number; us: number };

/** `n` says which try it belongs to; `failed`: that try did. */
export type Part = Span & { kind: "wait" | "first" | "work"; n: number; failed: boolean };

const HOLDERS: ReadonlySet<string> = new Set(["each", "when", "route", "refine", "chain"]);
const STOOD_STILL: ReadonlySet<string> = new Set(["skipped", "reused", "cached", "queued"]);

export function holdsSteps(step: StepRow): boolean {
  return HOLDERS.has(step.kind);
}

/** Whether nothing was run for it: its row says so instead of showing a bar. */
export function stoodStill(step: StepRow): boolean {
  return STOOD_STILL.has(step.status) || step.started_at === null;
}

/** From the run's start to its end; `now`: the end of what still runs. */
export function spanOf(started: number, took: number | null, steps: readonly StepRow[], now: number | null): Span {
  let end = started + (took ?? 0);
  for (const step of steps) {
    end = Math.max(end, (step.started_at ?? 0) + (step.duration_us ?? 0));
  }
  return { from: started, us: Math.max(end, now ?? 0) - started };
}

/** What a step did, in order and without overlap, whatever the wall clock did meanwhile. `now`: the end of an open step. */
export function partsOf(step: StepRow, now: number): Part[] {
  if (stoodStill(step) || step.started_at === null) {
    return [];
  }
  const end = step.started_at + (step.duration_us ?? Math.max(0, now - step.started_at));
  const parts: Part[] = [];
  let at = step.started_at;
  const add = (kind: Part["kind"], to: number, n: number, failed: boolean): void => {
    const until = Math.min(Math.max(to, at), end);
    if (until > at) {
      parts.push({ kind, from: at, us: until - at, n, failed });
    }
    at = until;
  };
  if (step.tries.length > 1) {
    for (const each of step.tries) {
      const failed = each.status === "failed";
      const begin = Math.min(Math.max(each.started_at, at), end);
      add("wait", begin, each.n, false);
      if (each.ttft_us !== null) {
        add("first", begin + each.ttft_us, each.n, failed);
      }
      add("work", each.duration_us === null ? end : begin + each.duration_us, each.n, failed);
    }
    if (step.status !== "ok" && step.status !== "failed") {
      add("wait", end, step.tries.length, false); // for a try that has not begun, or never did
    }
    return parts;
  }
  const failed = step.status === "failed";
  add("wait", at + (step.queue_us ?? 0), 1, false);
  if (step.ttft_us !== null) {
    add("first", at + step.ttft_us, 1, failed);
  }
  add("work", end, 1, failed);
  return parts;
}

/** Where something lies in the window, in percent; null: out of sight. */
export function placed(what: Span, window: Span): { left: number; width: number } | null {
  if (window.us <= 0 || what.from > window.from + window.us || what.from + what.us < window.from) {
    return null;
  }
  const percent = (time: number): number => Math.min(100, Math.max(0, (100 * (time - window.from)) / window.us));
  const left = percent(what.from);
  return { left, width: percent(what.from + what.us) - left };
}

const LEAST_US = 1000;

export function zooms(whole: Span): number {
  return Math.max(0, Math.floor(Math.log2(whole.us / LEAST_US)));
}

/** The part of the run that is in sight: half of it with every zoom, with `centre` in the middle as far as that goes. */
export function windowOf(whole: Span, zoom: number, centre: number): Span {
  const us = whole.us / 2 ** Math.min(zoom, zooms(whole));
  const last = whole.from + whole.us - us;
  return { from: Math.min(Math.max(centre - us / 2, whole.from), last), us };
}

export type Tick = { at: number; label: string };

const MINUTE = 60_000_000;
const MINUTES = [1, 2, 5, 10, 15, 30, 60, 120, 240, 480, 720, 1440].map((n) => n * MINUTE);

/** Marks at round times since the run's start, `most` of them and no more. */
export function ticksOf(whole: Span, window: Span, most: number): Tick[] {
  if (window.us <= 0) {
    return [];
  }
  const step = roundStep(window.us / most);
  const from = window.from - whole.from;
  const first = Math.ceil(from / step) * step;
  const ticks: Tick[] = [];
  for (let at = first; at <= from + window.us && ticks.length < most; at += step) {
    ticks.push({ at: whole.from + at, label: axisLabel(at, step, from + window.us) });
  }
  return ticks;
}

function roundStep(least: number): number {
  if (least > MINUTE / 2) {
    return MINUTES.find((step) => step >= least) ?? Math.ceil(least / (1440 * MINUTE)) * 1440 * MINUTE;
  }
  const power = 10 ** Math.floor(Math.log10(Math.max(1, least)));
  return ([1, 2, 5, 10].find((n) => n * power >= least) ?? 10) * power;
}

/** All labels of an axis in one unit, with the digits that tell neighbours apart. */
function axisLabel(us: number, step: number, last: number): string {
  if (us === 0) {
    return "0";
  }
  if (last >= 2 * MINUTE && step >= 1_000_000) {
    const seconds = Math.round(us / 1_000_000);
    const [hours, minutes] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60];
    return hours > 0 ? `${hours}:${two(minutes)}:${two(seconds % 60)}` : `${minutes}:${two(seconds % 60)}`;
  }
  const [unit, name] = last >= 1_000_000 ? [1_000_000, "s"] : last >= 1000 ? [1000, "ms"] : [1, "µs"];
  return `${(us / unit).toFixed(Math.max(0, -Math.floor(Math.log10(step / unit))))} ${name}`;
}

function two(n: number): string {
  return String(n).padStart(2, "0");
}

/** A step's row in words, for who does not see the bars. */
export function told(step: StepRow, whole: Span, now: number): string {
  if (step.status === "skipped") {
    return step.cause_path ? `skipped because of ${step.cause_path}` : "skipped";
  }
  if (step.status === "reused" || step.status === "cached") {
    return `${step.status}: not run again`;
  }
  if (step.started_at === null) {
    return step.status;
  }
  const sum = (kind: Part["kind"]): number =>
    partsOf(step, now).reduce((us, part) => us + (part.kind === kind ? part.us : 0), 0);
  const began = step.started_at - whole.from;
  const wait = sum("wait");
  const tries = Math.max(step.attempts, step.tries.length);
  return [
    `${step.status}, ${began > 0 ? `began after ${duration(began)}` : "began at the start"}`,
    step.duration_us === null ? "not ended" : `took ${duration(step.duration_us)}`,
    wait > 0 && `waited ${duration(wait)}`,
    step.ttft_us !== null && `first token after ${duration(step.ttft_us)}`,
    tries > 1 && plural(tries, "attempt"),
  ]
    .filter(Boolean)
    .join(", ");
}
