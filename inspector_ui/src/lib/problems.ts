// Problems of an edit, put where they belong: a line of a template, a binding that is offered. Pure.
import type { EditProblem } from "../api/types";
import { templateParts } from "./template";

/** The line of the template that a problem is about, from 1; null: none. An unknown variable is looked for. */
export function lineOf(problem: EditProblem, template: string): number | null {
  if (problem.line !== null) {
    return problem.line <= template.split("\n").length ? problem.line : null;
  }
  const name = problem.code === "template-variable" ? problem.got : null;
  if (!name || !/^\w+$/.test(name)) {
    return null;
  }
  const word = new RegExp(`(?<![\\w.])${name}(?!\\w)`);
  let at = 0;
  for (const part of templateParts(template)) {
    const found = part.kind === "expression" || part.kind === "statement" ? part.text.search(word) : -1;
    if (found >= 0) {
      return template.slice(0, at + found).split("\n").length;
    }
    at += part.text.length;
  }
  return null;
}

/** The variable that a problem offers to bind to the value of the same name. */
export function offeredBind(problem: EditProblem): string | null {
  return problem.code === "template-variable" && problem.got !== null && problem.remedy.startsWith("bind it")
    ? problem.got
    : null;
}

/** Whether a problem lies in one of two templates of a step, when it does not say in which: its line must be there. */
export function inWhich(problem: EditProblem, template: string, system: string): "template" | "system" | null {
  if (lineOf(problem, template) !== null) {
    return "template";
  }
  return lineOf(problem, system) === null ? null : "system";
}
