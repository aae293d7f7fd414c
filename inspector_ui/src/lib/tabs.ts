// Which tabs a step has, and which one it opens at. Pure.
import type { StepView } from "../api/types";

export type TabId = "prompt" | "definition" | "inputs" | "output" | "reply" | "attempts";

export function tabsOf(view: StepView): { id: TabId; label: string }[] {
  const prompt = (view.row?.kind ?? view.definition?.kind) === "prompt";
  const tried = view.attempts.length > 0;
  const tabs: ({ id: TabId; label: string } | false)[] = [
    prompt && tried && { id: "prompt", label: "Prompt" },
    { id: "definition", label: prompt ? "Template" : "Definition" },
    { id: "inputs", label: "Inputs" },
    { id: "output", label: "Output" },
    prompt && tried && { id: "reply", label: "Raw reply" },
    tried && { id: "attempts", label: view.attempts.length > 1 ? `Attempts ${view.attempts.length}` : "Attempts" },
  ];
  return tabs.filter((tab) => tab !== false);
}

/** A failed step opens at what the model wrote, a prompt at what it was told, any other at what it gave. */
export function defaultTab(view: StepView): TabId {
  const has = new Set(tabsOf(view).map((tab) => tab.id));
  if (view.row?.status === "failed" && has.has("reply") && view.attempts.some((attempt) => attempt.reply !== null)) {
    return "reply";
  }
  if (has.has("prompt")) {
    return "prompt";
  }
  return view.output ? "output" : view.inputs.length > 0 ? "inputs" : "definition";
}
