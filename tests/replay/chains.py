"""Random chains as data: typed, every kind of step in every other. Seeded, so that a failure can be run again."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from typing import Any

from chainlab.spec.chain import (
    Block,
    ChainSpec,
    CodeStep,
    EachStep,
    MessageSpec,
    PromptStep,
    RefineStep,
    RouteCase,
    RouteStep,
    StepSpec,
    SubChain,
    WhenStep,
)
from chainlab.spec.expr import Compare, Condition, ConstExpr, Expr, ListExpr, RefExpr, Truth

STR: dict[str, Any] = {"type": "string"}
LIST: dict[str, Any] = {"type": "array", "items": STR}
BOOL: dict[str, Any] = {"type": "boolean"}
REVIEW: dict[str, Any] = {
    "type": "object",
    "properties": {"score": {"type": "integer"}, "text": STR},
    "required": ["score", "text"],
}
OPTIONAL = {"anyOf": [STR, {"type": "null"}]}

Typed = tuple[RefExpr, dict[str, Any]]


@dataclass
class Maker:
    """Makes one chain. `depth` bounds how deep bodies and sub-chains nest."""

    rng: random.Random
    names: int = 0
    texts: int = 0
    used: set[str] = field(default_factory=set)

    def name(self, stem: str) -> str:
        """A name that no other step of the whole chain has."""
        self.names += 1
        return f"{stem}{self.names}"

    def chain(self, size: int, depth: int, name: str = "random") -> ChainSpec:
        """A chain of `size` steps, not counting those in bodies."""
        env: list[Typed] = [(RefExpr(of="input", name="text"), STR), (RefExpr(of="input", name="items"), LIST)]
        steps: list[StepSpec] = []
        for _ in range(size):
            self.step(steps, env, depth)
        output = ListExpr(items=tuple(RefExpr(of="step", name=step.name) for step in steps))
        return ChainSpec(
            name=name, inputs={"text": STR, "items": LIST}, steps=tuple(steps), output=output, output_schema={}
        )

    def step(self, steps: list[StepSpec], env: list[Typed], depth: int) -> None:
        """Add one step and what it gives."""
        kinds = ["prompt"] * 4 + ["code"] * 2
        if depth:
            kinds += ["each", "each", "when", "route", "refine", "chain"]
        kind = self.rng.choice(kinds)
        if kind == "route" and self._of_type(env, BOOL) is None:
            asked = self.prompt(env, BOOL)
            steps.append(asked)
            env.append((RefExpr(of="step", name=asked.name), BOOL))
        step, schema = getattr(self, f"_{kind}")(env, depth)
        steps.append(step)
        env.append((RefExpr(of="step", name=step.name), schema))

    def args(self, env: list[Typed], *must: Typed) -> tuple[dict[str, Any], dict[str, Expr]]:
        """One or two arguments, mostly recent values; now and then a constant, or a part of a value."""
        chosen = list(must)
        while len(chosen) < 1 or (len(chosen) < 2 and self.rng.random() < 0.5):
            chosen.append(env[max(0, len(env) - 1 - int(self.rng.expovariate(0.5)))])
        params: dict[str, Any] = {}
        args: dict[str, Expr] = {}
        for index, (ref, schema) in enumerate(chosen):
            if schema is REVIEW and self.rng.random() < 0.5:
                ref, schema = RefExpr(of=ref.of, name=ref.name, path=(*ref.path, "text")), STR
            params[f"a{index}"], args[f"a{index}"] = schema, ref
        if self.rng.random() < 0.2:
            params["k"], args["k"] = STR, ConstExpr(value=self.rng.choice("xyz"))
        return params, args

    def prompt(self, env: list[Typed], schema: dict[str, Any], *must: Typed, stem: str = "p") -> PromptStep:
        """A prompt whose template is like no other's."""
        params, args = self.args(env, *must)
        self.texts += 1
        template = f"#{self.texts} " + " ".join(f"{{{{ {name} }}}}" for name in params)
        name = self.name(stem)
        return PromptStep(
            name=name,
            step=name,
            messages=(MessageSpec(role="user", template=template),),
            params=params,
            args=args,
            output=schema,
        )

    def _prompt(self, env: list[Typed], depth: int) -> tuple[StepSpec, dict[str, Any]]:
        schema = self.rng.choice([STR, STR, LIST, BOOL, REVIEW])
        return self.prompt(env, schema), schema

    def _code(self, env: list[Typed], depth: int) -> tuple[StepSpec, dict[str, Any]]:
        params, args = self.args(env)
        schema = self.rng.choice([STR, LIST])
        name = self.name("c")
        self.texts += 1
        step = CodeStep(
            name=name,
            step=name,
            module="tests.replay.fakes",
            qualname=name,
            code_hash=f"{self.texts:040x}",
            params=params,
            args=args,
            output=schema,
        )
        return step, schema

    def _body(self, env: list[Typed], depth: int, schema: dict[str, Any], *must: Typed) -> Block:
        """Some steps, the last of them a prompt that gives the body's output."""
        inner = list(env)
        steps: list[StepSpec] = []
        for _ in range(self.rng.randint(0, 2)):
            self.step(steps, inner, depth)
        last = self.prompt(inner, schema, *must)
        return Block(steps=(*steps, last), output=RefExpr(of="step", name=last.name), schema=schema)

    def _of_type(self, env: list[Typed], schema: dict[str, Any]) -> RefExpr | None:
        found = [ref for ref, known in env if known is schema]
        return self.rng.choice(found) if found else None

    def _each(self, env: list[Typed], depth: int) -> tuple[StepSpec, dict[str, Any]]:
        name = self.name("each")
        items = self._of_type(env, LIST)
        assert items is not None  # the chain's own input is one
        item: Typed = (RefExpr(of="var", name=f"{name}.item"), STR)
        must = (item,) if self.rng.random() < 0.8 else ()
        body = self._body([*env, item], depth - 1, STR, *must)
        drop = self.rng.random() < 0.5
        return EachStep(name=name, items=items, body=body, on_error="drop" if drop else "fail"), LIST

    def _condition(self, env: list[Typed]) -> Condition:
        truth = self._of_type(env, BOOL)
        review = self._of_type(env, REVIEW)
        if truth is not None and (review is None or self.rng.random() < 0.5):
            return Truth(value=truth)
        if review is not None:
            score = RefExpr(of=review.of, name=review.name, path=(*review.path, "score"))
            return Compare(op=">=", left=score, right=ConstExpr(value=2))
        return Compare(op="!=", left=env[-1][0], right=ConstExpr(value="no"))

    def _when(self, env: list[Typed], depth: int) -> tuple[StepSpec, dict[str, Any]]:
        then = self._body(env, depth - 1, STR)
        otherwise = self._body(env, depth - 1, STR) if self.rng.random() < 0.6 else None
        step = WhenStep(name=self.name("when"), condition=self._condition(env), then=then, otherwise=otherwise)
        return step, STR if otherwise is not None else OPTIONAL

    def _route(self, env: list[Typed], depth: int) -> tuple[StepSpec, dict[str, Any]]:
        value = self._of_type(env, BOOL)
        assert value is not None  # `step` sees to it
        cases = tuple(RouteCase(label=label, body=self._body(env, depth - 1, STR)) for label in (True, False))
        return RouteStep(name=self.name("route"), value=value, cases=cases), STR

    def _refine(self, env: list[Typed], depth: int) -> tuple[StepSpec, dict[str, Any]]:
        name = self.name("refine")
        draft: Typed = (RefExpr(of="var", name=f"{name}.draft"), STR)
        review: Typed = (RefExpr(of="var", name=f"{name}.review"), REVIEW)
        first = self._of_type(env, STR)
        assert first is not None
        step = RefineStep(
            name=name,
            draft=first,
            review=self._body([*env, draft], 0, REVIEW, draft),
            accept=Compare(
                op=">=", left=RefExpr(of="var", name=f"{name}.review", path=("score",)), right=ConstExpr(value=3)
            ),
            improve=self._body([*env, draft, review], 0, STR, draft, review),
            max_rounds=self.rng.randint(1, 3),
        )
        return step, {}

    def _chain(self, env: list[Typed], depth: int) -> tuple[StepSpec, dict[str, Any]]:
        text, items = self._of_type(env, STR), self._of_type(env, LIST)
        assert text is not None and items is not None
        inner = self.chain(self.rng.randint(1, 3), depth - 1, self.name("sub"))
        last = inner.steps[-1]
        inner = inner.changed({"output": ListExpr(items=(RefExpr(of="step", name=last.name),))})
        return SubChain(name=self.name("chain"), chain=inner, args={"text": text, "items": items}), {}


def random_chain(rng: random.Random, size: int | None = None, depth: int = 2) -> ChainSpec:
    """A chain of 2 to 7 steps with bodies up to `depth` deep."""
    return Maker(rng).chain(size or rng.randint(2, 7), depth)
