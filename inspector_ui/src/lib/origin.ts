// Where a step's inputs came from, in words. Pure.
import type { Input } from "../api/types";

export function originText(input: Input): string {
  const field = input.from_field ?? "";
  if (input.from_path === null) {
    return "constant";
  }
  if (input.from_path === "$input") {
    return `from the run's input${field ? ` ${field}` : ""}`;
  }
  return `from ${input.from_path}${field === "" || field.startsWith("[") ? field : `.${field}`}`;
}

/** What is said of a variable that a prompt printed: `s.title` is a part of the input `s`. */
export function variableText(variable: string, inputs: readonly Input[]): string {
  const root = /^[\p{L}_][\p{L}\p{N}_]*/u.exec(variable)?.[0];
  const input = inputs.find((one) => one.name === root);
  return input ? `{{ ${variable} }} ${originText(input)}` : `{{ ${variable} }}`;
}
