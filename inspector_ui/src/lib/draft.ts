// An edit while it is typed: what a step says now, what the draft says instead, and the request that both make. Pure.
import type { StepView } from "../api/types";
import { parseJson, prettyJson } from "./json";
import { staticPath } from "./steps";

export type Scope = "step" | "descendants" | "changed" | "all";
export type OnDrift = "refuse" | "rerun" | "reuse";
export type OnEffects = "refuse" | "run" | "skip";

/** null and "": as it was. `what`: the step's definition is edited, or its output is set by hand. */
export type Draft = {
  what: "step" | "output";
  template: string | null;
  system: string | null;
  model: string;
  temperature: string;
  maxTokens: string;
  seed: string;
  bind: Readonly<Record<string, string>>;
  output: string | null;
  whole: boolean;
  scope: Scope;
  onDrift: OnDrift;
  onEffects: OnEffects;
};

/** What a step says without an edit. `textOutput`: its output is text and is written as such, not as JSON. */
export type Base = {
  path: string;
  prompt: boolean;
  template: string;
  system: string | null;
  model: string;
  temperature: string;
  maxTokens: string;
  seed: string;
  output: string;
  textOutput: boolean;
};

export function baseOf(view: StepView): Base {
  const definition = view.definition;
  const role = (name: string): string | undefined => definition?.templates.findLast((one) => one.role === name)?.template;
  const setting = (name: string): string => definition?.settings.find((one) => one.name === name)?.value ?? "";
  const textOutput = isTextSchema(definition?.output_schema ?? null);
  return {
    path: view.path,
    prompt: (view.row?.kind ?? definition?.kind) === "prompt",
    template: role("user") ?? "",
    system: definition?.templates.find((one) => one.role === "system")?.template ?? null,
    model: setting("model"),
    temperature: setting("temperature"),
    maxTokens: setting("max_tokens"),
    seed: setting("seed"),
    output: recordedOutput(view, textOutput),
    textOutput,
  };
}

export function emptyDraft(base: Base): Draft {
  return {
    what: base.prompt ? "step" : "output",
    template: null,
    system: null,
    model: "",
    temperature: "",
    maxTokens: "",
    seed: "",
    bind: {},
    output: null,
    whole: staticPath(base.path) === base.path,
    scope: "descendants",
    onDrift: "refuse",
    onEffects: "refuse",
  };
}

/** Whether the draft says anything that would be lost. */
export function isEmpty(draft: Draft, base: Base): boolean {
  return editText({ ...draft, what: "step" }, base) === null && (draft.output ?? base.output) === base.output;
}

/** The edit as JSON text; null: the draft changes nothing. Text, since an output may hold numbers that this page cannot. */
export function editText(draft: Draft, base: Base): string | null {
  const parts: [string, string][] = [];
  const say = (name: string, value: string): unknown => parts.push([name, value]);
  if (draft.what === "output") {
    if (draft.output === null) {
      return null;
    }
    say("output", base.textOutput ? JSON.stringify(draft.output) : draft.output);
  } else {
    if (draft.template !== null && draft.template !== base.template) {
      say("template", JSON.stringify(draft.template));
    }
    if (draft.system !== null && draft.system !== (base.system ?? "")) {
      say("system", JSON.stringify(draft.system));
    }
    if (draft.model) {
      say("model", JSON.stringify(draft.model));
    }
    const numbers = { temperature: draft.temperature, max_tokens: draft.maxTokens, seed: draft.seed };
    for (const [name, typed] of Object.entries(numbers)) {
      if (typed.trim() && Number.isFinite(Number(typed))) {
        say(name, String(Number(typed)));
      }
    }
    if (Object.keys(draft.bind).length > 0) {
      say("bind", JSON.stringify(draft.bind));
    }
  }
  if (parts.length === 0) {
    return null;
  }
  const step = draft.whole ? staticPath(base.path) : base.path;
  return `{${[["step", JSON.stringify(step)] as const, ...parts].map(([name, value]) => `"${name}":${value}`).join(",")}}`;
}

/** What this page can tell is wrong before anybody is asked. */
export function ownProblem(draft: Draft, base: Base): string | null {
  if (draft.what === "output") {
    const json = base.textOutput || draft.output === null || parseJson(draft.output) !== null;
    return json ? null : "This is not JSON. Text stands in double quotes; there is no comma after the last item.";
  }
  if (draft.temperature.trim() && !(Number(draft.temperature) >= 0)) {
    return "The temperature is a number, 0 or more.";
  }
  if (draft.maxTokens.trim() && !/^[1-9]\d*$/.test(draft.maxTokens.trim())) {
    return "The most tokens of a reply are a whole number, 1 or more.";
  }
  if (draft.seed.trim() && !/^-?\d+$/.test(draft.seed.trim())) {
    return "The seed is a whole number.";
  }
  return null;
}

/** The request, but for its last fields (`more` is JSON text such as `"step":"x"`). */
export function asked(draft: Draft, edit: string | null, more: string): string {
  const rules = `"scope":"${draft.scope}","on_drift":"${draft.onDrift}","on_effects":"${draft.onEffects}"`;
  return `{"edits":[${edit ?? ""}],${rules},${more}}`;
}

/** A draft as it was stored, or null when it is none, or none of this version. */
export function parseDraft(text: string | null, base: Base): Draft | null {
  try {
    const stored: unknown = JSON.parse(text ?? "null");
    const draft = emptyDraft(base);
    if (typeof stored !== "object" || stored === null || Object.keys(draft).some((key) => !(key in stored))) {
      return null;
    }
    return { ...draft, ...stored };
  } catch {
    return null;
  }
}

/** What an output is edited from: the recorded one, else what the model wrote last. */
function recordedOutput(view: StepView, asText: boolean): string {
  if (!view.output || view.output.cut) {
    return view.attempts.at(-1)?.reply?.text ?? "";
  }
  const node = parseJson(view.output.text);
  if (asText && node?.kind === "string") {
    return node.value;
  }
  return node ? prettyJson(node) : view.output.text;
}

function isTextSchema(schema: string | null): boolean {
  const node = parseJson(schema ?? "null");
  const type = node?.kind === "object" ? node.entries.find(([key]) => key === "type")?.[1] : undefined;
  return type?.kind === "string" && type.value === "string";
}
