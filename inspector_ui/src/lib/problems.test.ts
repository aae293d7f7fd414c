import { expect, test } from "vitest";
import type { EditProblem } from "../api/types";
import { inWhich, lineOf, offeredBind } from "./problems";

function problem(part: Partial<EditProblem>): EditProblem {
  return { code: "template-syntax", message: "", step: null, line: null, expected: null, got: null, remedy: "", ...part };
}

const unknown = problem({ code: "template-variable", got: "topics", remedy: "bind it: bind={'topics': 'topics'}" });

test("a problem's line is the one it names, if the template has it", () => {
  expect(lineOf(problem({ line: 2 }), "a\nb")).toBe(2);
  expect(lineOf(problem({ line: 3 }), "a\nb")).toBeNull();
  expect(lineOf(problem({}), "a\nb")).toBeNull();
});

test("an unknown variable is looked for where templates name variables", () => {
  expect(lineOf(unknown, "topics\n{# topics #}\n{{ x.topics }}\n{{ mytopics }}\n{{ topics }}")).toBe(5);
  expect(lineOf(unknown, "{% for t\n in topics %}")).toBe(2);
  expect(lineOf(unknown, "none of it")).toBeNull();
});

test("only what the server offers can be bound", () => {
  expect(offeredBind(unknown)).toBe("topics");
  expect(offeredBind({ ...unknown, remedy: "did you mean 'topic'?" })).toBeNull();
  expect(offeredBind(problem({ remedy: "bind it" }))).toBeNull();
});

test("a problem that the template cannot hold lies in the system message", () => {
  expect(inWhich(unknown, "{{ topics }}", "")).toBe("template");
  expect(inWhich(unknown, "plain", "{{ topics }}")).toBe("system");
  expect(inWhich(unknown, "plain", "plain")).toBeNull();
});
