// What is recorded of one try, in words. Pure.
import type { AttemptView } from "../api/types";

export const REASONS: Record<AttemptView["reason"], string> = {
  first: "first try",
  transport: "retry: the call before failed on its way",
  validation: "the reply before did not fit the output type",
  fallback: "another model was asked",
  sample: "more samples were wanted",
  resume: "the run was resumed",
};

const FINISHED: Record<string, string> = {
  length: "length: cut at the token limit",
  content_filter: "content_filter: the provider withheld the reply",
};

export function finished(reason: string): string {
  return FINISHED[reason] ?? reason;
}

/** Who was asked: `backend:model`, an adapter as `base+adapter`. Empty when nobody was. */
export function asked(attempt: AttemptView): string {
  const { base, adapter, backend } = attempt;
  const model = base && adapter ? `${base}+${adapter}` : (attempt.model ?? base ?? "");
  return backend && model ? `${backend}:${model}` : model || (backend ?? "");
}

/** What the server calls the model, where it is something else than what was asked for. */
export function servedAs(attempt: AttemptView): string | null {
  const { served_model: served } = attempt;
  return served === attempt.model || served === attempt.adapter ? null : served;
}

const GAUGES: Record<string, string> = { running: "running", waiting: "waiting", kv_cache: "cache" };

/** How busy the backend was: `3 running, 2 waiting, cache 41 %`. */
export function load(gauges: NonNullable<AttemptView["gauges"]>): string {
  return Object.entries(gauges)
    .map(([name, value]) => {
      const words = GAUGES[name] ?? name;
      return name === "kv_cache" ? `${words} ${Math.round(value * 100)} %` : name in GAUGES ? `${value} ${words}` : `${words} ${value}`;
    })
    .join(", ");
}
