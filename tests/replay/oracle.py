"""A brute-force model of a run and of a replay: a plain recursive interpreter with pure fakes.

Knows no engine, no plan, no keys and no hashes: work is compared as the text of everything that goes into it.

`run` executes everything. `replay` executes everything too, to learn what every step would get and give, and says which
steps the rule lets run: forced ones, what follows them within the scope, and what no record stands for.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from chainlab.spec.chain import (
    Block,
    ChainSpec,
    CodeStep,
    EachStep,
    PromptStep,
    RefineStep,
    RouteStep,
    StepSpec,
    SubChain,
    WhenStep,
)
from chainlab.spec.expr import (
    Compare,
    Condition,
    ConstExpr,
    Expr,
    ListExpr,
    Not,
    ObjectExpr,
    RefExpr,
    Truth,
    condition_refs,
    refs,
)
from chainlab.spec.template import compiled

Fake = Callable[[str, dict[str, Any]], Any]
"""(what is asked, the output schema) -> the output: a pure function."""


@dataclass
class Val:
    """A value; `new`: made anew in this replay, of a list perhaps only some items; `bad`: there is none.

    In a replay, where no fake fails, it is `bad` since its step, or one before it, is left out.
    """

    json: Any = None
    new: bool | set[int] = False
    bad: bool = False


@dataclass(frozen=True)
class Done:
    """A prompt or Python step that was reached."""

    path: str
    work: str
    ok: bool
    output: str
    ran: bool
    why: str


@dataclass
class Rule:
    """What decides in a replay.

    `old`: what the record has; `fell`: steps that were tried and came to nothing in it; `own`: steps that have not
    changed and keep their own record, so that no other takes it. `own` None: none takes another's.
    """

    scope: str
    forced: frozenset[str]
    old: Mapping[str, Done]
    given: Mapping[str, Any] = field(default_factory=dict)
    fell: frozenset[str] = frozenset()
    own: frozenset[str] | None = frozenset()
    taken: set[str] = field(default_factory=set)

    def runs(self, path: str, work: str, new: bool) -> tuple[bool, str]:
        """Whether the step runs, and why; not, and "left": it is left out."""
        if path in self.forced or declared(path) in self.forced:
            return True, "edited"
        if self.scope == "all":
            return True, "all"
        if self.scope == "descendants" and new:
            return True, "downstream"
        own = self.old.get(path)
        if own is not None and own.work == work and not own.ok:
            return (False, "left") if self.scope == "step" and (self.forced or new) else (True, "failed")
        if own is not None and own.work == work and own.ok and path not in self.taken:
            self.taken.add(path)
            return False, "same"
        alone = self.own is None or (self.scope == "step" and new)
        for other in () if alone else self.old.values():
            if other.ok and other.work == work and other.path not in self.taken and other.path not in (self.own or ()):
                self.taken.add(other.path)
                return False, "moved"
        if self.scope == "step" and (new or (self.forced and not (own is not None and own.ok))):
            return False, "left"
        return True, "no record"


def declared(path: str) -> str:
    """A path without items and rounds."""
    out, skip = "", False
    for letter in path:
        if letter == "[" or letter == "@":
            skip = True
        elif letter == "]":
            skip = False
            continue
        elif letter == "/":
            skip = False
        if not skip:
            out += letter
    return out


class World:
    """One interpretation of a chain."""

    def __init__(self, fake: Fake, *, fails: frozenset[str] = frozenset(), rule: Rule | None = None) -> None:
        self.fake, self.fails, self.rule = fake, fails, rule
        self.done: list[Done] = []
        self.fell: set[str] = set()
        self.unchanged: set[str] = set()

    def run(self, spec: ChainSpec, inputs: Mapping[str, Any], new: frozenset[str] = frozenset()) -> Val:
        """The chain's output."""
        env = {("input", name): Val(value, name in new) for name, value in inputs.items()}
        return self._block(spec.steps, spec.output, env, "", "")

    @property
    def executed(self) -> Counter[str]:
        """The works that ran, with how often each."""
        return Counter(done.work for done in self.done if done.ran)

    def _block(
        self, steps: tuple[StepSpec, ...], output: Expr, env: dict[tuple[str, str], Val], prefix: str, suffix: str
    ) -> Val:
        env = dict(env)
        bad = False
        for step in steps:
            value = env["step", step.name] = self._step(step, env, prefix, suffix)
            bad = bad or value.bad
            if value.bad and not any(env[ref.of, ref.name].bad for ref in own_refs(step)):
                self.fell.add(f"{prefix}{step.name}{suffix}")
        return Val(bad=True) if bad else self._value(output, env)

    def _value(self, expr: Expr, env: dict[tuple[str, str], Val]) -> Val:
        match expr:
            case RefExpr():
                found = env[expr.of, expr.name]
                if found.bad or not expr.path:
                    return found
                value = found.json
                for part in expr.path:
                    value = value[part]
                new = found.new if isinstance(found.new, bool) else expr.path[0] in found.new
                return Val(value, new)
            case ConstExpr():
                return Val(expr.value)
            case ListExpr():
                parts = [self._value(item, env) for item in expr.items]
                new_items = {i for i, part in enumerate(parts) if part.new}
                return Val([part.json for part in parts], new_items, any(part.bad for part in parts))
            case ObjectExpr():
                raise AssertionError("not generated")

    def _true(self, condition: Condition, env: dict[tuple[str, str], Val]) -> Val:
        match condition:
            case Truth():
                return self._value(condition.value, env)
            case Compare():
                left, right = self._value(condition.left, env), self._value(condition.right, env)
                new = bool(left.new) or bool(right.new)
                if left.bad or right.bad:
                    return Val(bad=True)
                return Val(left.json >= right.json if condition.op == ">=" else left.json != right.json, new)
            case Not():
                raise AssertionError("not generated")
            case _:
                raise AssertionError("not generated")

    def _step(self, step: StepSpec, env: dict[tuple[str, str], Val], prefix: str, suffix: str) -> Val:
        match step:
            case PromptStep() | CodeStep():
                return self._leaf(step, env, f"{prefix}{step.name}{suffix}")
            case EachStep():
                return self._each(step, env, prefix, suffix)
            case WhenStep():
                truth = self._true(step.condition, env)
                body = step.then if truth.json else step.otherwise
                return self._branch(truth, body, env, prefix, suffix)
            case RouteStep():
                value = self._value(step.value, env)
                body = next((case.body for case in step.cases if case.label == value.json), None)
                return self._branch(value, body, env, prefix, suffix)
            case RefineStep():
                return self._refine(step, env, prefix, suffix)
            case SubChain():
                args = {("input", name): self._value(expr, env) for name, expr in step.args.items()}
                if any(value.bad for value in args.values()):
                    return Val(bad=True)
                return self._block(step.chain.steps, step.chain.output, args, f"{prefix}{step.name}{suffix}/", "")

    def _leaf(self, step: PromptStep | CodeStep, env: dict[tuple[str, str], Val], path: str) -> Val:
        rule = self.rule
        for place in (path, declared(path)):
            if rule is not None and place in rule.given:
                return Val(rule.given[place], place in rule.forced)
        args = {name: self._value(expr, env) for name, expr in step.args.items()}
        if any(value.bad for value in args.values()):
            return Val(bad=True)
        inputs = {name: value.json for name, value in args.items()}
        work = work_of(step, inputs)
        runs, why = (True, "run") if rule is None else rule.runs(path, work, any(v.new for v in args.values()))
        if why == "left":
            return Val(bad=True)
        ok = what_it_is(step) not in self.fails
        if why == "same" and not any(v.new for v in args.values()):
            self.unchanged.add(path)
        output = self.fake(asked(step, inputs), step.output)
        self.done.append(Done(path, work, ok, json.dumps(output), runs, why))
        return Val(output, runs, bad=not ok)

    def _each(self, step: EachStep, env: dict[tuple[str, str], Val], prefix: str, suffix: str) -> Val:
        items = self._value(step.items, env)
        if items.bad:
            return Val(bad=True)
        made = []
        for index, item in enumerate(items.json):
            new = items.new if isinstance(items.new, bool) else index in items.new
            inner = {**env, ("var", f"{step.name}.item"): Val(item, new)}
            one = self._body(step.body, inner, prefix, f"{suffix}[{index}]")
            inside = {f"{prefix}{step.name}{suffix}[{index}]" for step in step.body.steps}
            if self.rule is not None and inside & self.rule.fell:
                one = Val(one.json, True, one.bad)  # it had no result, and now it has
            made.append(one)
        if any(one.bad for one in made) and (step.on_error == "fail" or self.rule is not None):
            return Val(bad=True)  # in a replay nothing fails: an item was left out, and that is no item dropped
        new_items = {index for index, one in enumerate(made) if one.new or one.bad}
        dropped = any(one.bad for one in made)
        kept = [one.json for one in made if not one.bad]
        return Val(kept, True if items.new is True or (dropped and new_items) else new_items)

    def _body(self, body: Block, env: dict[tuple[str, str], Val], prefix: str, suffix: str) -> Val:
        return self._block(body.steps, body.output, env, prefix, suffix)

    def _branch(
        self, decided: Val, body: Block | None, env: dict[tuple[str, str], Val], prefix: str, suffix: str
    ) -> Val:
        if decided.bad:
            return Val(bad=True)
        if body is None:
            return Val(None, bool(decided.new))
        value = self._body(body, env, prefix, suffix)
        return Val(value.json, True if decided.new else value.new, value.bad)

    def _refine(self, step: RefineStep, env: dict[tuple[str, str], Val], prefix: str, suffix: str) -> Val:
        draft = self._value(step.draft, env)
        if draft.bad:
            return Val(bad=True)
        new = bool(draft.new)
        round_ = 1
        while True:
            inner = {**env, ("var", f"{step.name}.draft"): draft}
            review = self._body(step.review, inner, prefix, f"{suffix}@{round_}")
            new = new or bool(review.new)
            if review.bad:
                return Val(bad=True)
            inner["var", f"{step.name}.review"] = review
            accepted = bool(self._true(step.accept, inner).json)
            if accepted or round_ == step.max_rounds:
                value = {"value": draft.json, "review": review.json, "accepted": accepted, "rounds": round_}
                return Val(value, new)
            round_ += 1
            draft = self._body(step.improve, inner, prefix, f"{suffix}@{round_}")
            new = new or bool(draft.new)
            if draft.bad:
                return Val(bad=True)


def own_refs(step: StepSpec) -> Iterator[RefExpr]:
    """The values that a step needs to begin."""
    match step:
        case PromptStep() | CodeStep() | SubChain():
            for expr in step.args.values():
                yield from refs(expr)
        case EachStep():
            yield from refs(step.items)
        case WhenStep():
            yield from condition_refs(step.condition)
        case RouteStep():
            yield from refs(step.value)
        case RefineStep():
            yield from refs(step.draft)


def what_it_is(step: PromptStep | CodeStep) -> str:
    """Everything that makes a step what it is, as text."""
    if isinstance(step, CodeStep):
        return f"code {step.code_hash}"
    texts = [[message.role, message.template] for message in step.messages]
    return json.dumps(["prompt", texts, list(step.model), step.sampling.model_dump(mode="json"), step.output])


def work_of(step: PromptStep | CodeStep, inputs: Mapping[str, Any]) -> str:
    """A step and all that it gets, as text."""
    return json.dumps([what_it_is(step), dict(inputs), step.params], sort_keys=True)


def asked(step: PromptStep | CodeStep, inputs: Mapping[str, Any]) -> str:
    """What a model or function is asked, as text."""
    if isinstance(step, CodeStep):
        return f"{step.code_hash} {json.dumps(dict(inputs), sort_keys=True)}"
    said = "\n".join(compiled(message.template).render(inputs).text for message in step.messages)
    return f"{step.model[0] if step.model else 'default'} {step.sampling.temperature} {said}"
