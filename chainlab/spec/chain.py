"""ChainSpec: the declared DAG as frozen, JSON-serialisable, content-hashed data.

The only thing engine, store and replay know of a chain.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import Annotated, Any, Literal, TypeAlias

from pydantic import Field

from chainlab.spec.budget import Budget
from chainlab.spec.expr import Condition, Expr, Frozen
from chainlab.values.codec import Json, Value, encode, hash_bytes
from chainlab.values.pictures import has_pictures

Schema: TypeAlias = dict[str, Any]
"""A self-contained JSON Schema (its own `$defs`)."""


def _is_none(value: object) -> bool:
    """For fields that came later: left out where they are not used, so that content hashes stay what they were."""
    return value is None


class SourceRef(Frozen):
    """Where something stands in the author's files. Never part of a content hash.

    `file` is relative to the project's root where it lies below it. `patchable`: the template is one literal (or a
    whole file) that can be replaced; `text_hash` is the hash of the template's text as it stood.
    """

    file: str
    line: int
    patchable: bool = False
    text_hash: str | None = None


class MessageSpec(Frozen):
    """One message of a prompt: a role and a Jinja template; `file` when the template came from a file."""

    role: Literal["system", "user", "assistant"]
    template: str
    file: str | None = None
    source: SourceRef | None = None


class Sampling(Frozen):
    """How a model samples. None: the backend's default."""

    temperature: float | None = None
    max_tokens: int | None = None
    stop: tuple[str, ...] = ()
    seed: int | None = None
    top_p: float | None = None


class Policy(Frozen):
    """How a step is tried.

    `retries` counts validation retries of a prompt, exceptions of a Python step; `timeout` is seconds per attempt.
    """

    retries: int = 0
    timeout: float | None = None
    cache: bool = False


class Node(Frozen):
    """What every step has.

    `name`, unique in its chain (`summarise~2`), `source` its definition, `called` where it is called.
    """

    name: str
    source: SourceRef | None = None
    called: SourceRef | None = None


class PromptStep(Node):
    """A prompt: data, never code.

    `step` is the name of its definition; `model` the written references, first choice first. `validated_by`: where its
    declaration is (`module:name`), when its type has validators in Python that a schema cannot repeat. `n`: the output
    is a list of so many replies, each of the item's type.
    """

    kind: Literal["prompt"] = "prompt"
    step: str
    messages: tuple[MessageSpec, ...]
    params: dict[str, Schema]
    args: dict[str, Expr]
    output: Schema
    validated_by: str | None = None
    model: tuple[str, ...] = ()
    sampling: Sampling = Field(default_factory=Sampling)
    policy: Policy = Field(default_factory=lambda: Policy(retries=1))
    feedback: str | None = None
    logprobs: bool = False
    n: int | None = Field(default=None, ge=1, exclude_if=_is_none)
    tags: tuple[str, ...] = ()

    @cached_property
    def pictured(self) -> frozenset[str]:
        """The parameters that may hold pictures."""
        return frozenset(name for name, schema in self.params.items() if has_pictures(schema))


class CodeStep(Node):
    """A Python step: named, never carried.

    `code_hash` is the hash of its normalised source; `portable` says why not when it is not.
    """

    kind: Literal["code"] = "code"
    step: str
    module: str
    qualname: str
    code_hash: str
    not_portable: str | None = None
    effects: Literal["none", "ask", "never"] = "none"
    params: dict[str, Schema]
    args: dict[str, Expr]
    output: Schema
    policy: Policy = Field(default_factory=Policy)
    tags: tuple[str, ...] = ()


class Block(Frozen):
    """A body: steps and the expression it gives back."""

    steps: tuple[StepSpec, ...]
    output: Expr
    schema_: Schema = Field(alias="schema")

    model_config = {**Frozen.model_config, "populate_by_name": True, "serialize_by_alias": True}


class EachStep(Node):
    """Runs `body` for every item of `items`, results in input order.

    In the body the item is the variable `<name>.item`.
    """

    kind: Literal["each"] = "each"
    items: Expr
    body: Block
    on_error: Literal["fail", "drop", "keep"] = "fail"


class WhenStep(Node):
    """Runs `then` or `otherwise`; without `otherwise` the untaken branch gives None. `given` is a `when` on Present."""

    kind: Literal["when"] = "when"
    condition: Condition
    then: Block
    otherwise: Block | None = None


class RouteCase(Frozen):
    """One branch of a route and the label that takes it."""

    label: Json
    body: Block


class RouteStep(Node):
    """Runs the branch whose label equals the value."""

    kind: Literal["route"] = "route"
    value: Expr
    cases: tuple[RouteCase, ...]
    otherwise: Block | None = None


class RefineStep(Node):
    """A bounded loop: review the draft; until accepted, improve it and review again.

    Variables: `<name>.draft` (in review and improve), `<name>.review` (in accept and improve). Gives
    {value, review, accepted, rounds}; `rounds` counts reviews.
    """

    kind: Literal["refine"] = "refine"
    draft: Expr
    review: Block
    accept: Condition
    improve: Block
    max_rounds: int = 3
    on_limit: Literal["keep", "fail"] = "keep"


class SubChain(Node):
    """A chain called in a chain."""

    kind: Literal["chain"] = "chain"
    chain: ChainSpec
    args: dict[str, Expr]


StepSpec: TypeAlias = Annotated[
    PromptStep | CodeStep | EachStep | WhenStep | RouteStep | RefineStep | SubChain, Field(discriminator="kind")
]


class ChainSpec(Frozen):
    """A chain: inputs, steps in declaration order, output. `defaults` are constants for inputs that may be left out."""

    format: Literal["chainlab-1"] = "chainlab-1"
    name: str
    doc: str = ""
    inputs: dict[str, Schema]
    defaults: dict[str, Json] = {}
    steps: tuple[StepSpec, ...]
    output: Expr
    output_schema: Schema
    models: dict[str, str] = {}
    budget: Budget | None = Field(default=None, exclude_if=_is_none)
    tags: tuple[str, ...] = ()
    source: SourceRef | None = None

    @cached_property
    def content(self) -> bytes:
        """The bytes that the content hash covers: everything but source locations and tags."""
        return encode(_without_places(self.model_dump(mode="json")))

    @cached_property
    def payload(self) -> Value:
        """The whole spec as it is stored, places included."""
        body = self.model_dump_json().encode()
        return Value(None, body)

    @cached_property
    def hash(self) -> bytes:
        """Content hash, 20 bytes; equal on every machine for the same declaration."""
        return hash_bytes(self.content)

    def changed(self, fields: Mapping[str, Any], /) -> ChainSpec:
        """The same chain with other fields. `model_copy` would hand on the hash of the old one."""
        other = self.model_copy(update=fields)
        for derived in ("content", "payload", "hash"):
            other.__dict__.pop(derived, None)
        return other


_PLACES = frozenset({"source", "called"})


def _without_places(data: Any) -> Any:
    # Schemas and constants may have keys called "source": only SourceRef values (dicts with file and line) go.
    if isinstance(data, dict):
        return {
            key: _without_places(value)
            for key, value in data.items()
            if not (
                key in _PLACES and (value is None or (isinstance(value, dict) and value.keys() >= {"file", "line"}))
            )
        }
    if isinstance(data, list):
        return [_without_places(item) for item in data]
    return data


def blocks(step: StepSpec) -> Iterator[tuple[str, Block]]:
    """The bodies of a step, each with its role: body, then, otherwise, case, review, improve."""
    match step:
        case PromptStep() | CodeStep() | SubChain():  # first: most are
            return
        case EachStep():
            yield "body", step.body
        case WhenStep():
            yield "then", step.then
            if step.otherwise is not None:
                yield "otherwise", step.otherwise
        case RouteStep():
            for case in step.cases:
                yield "case", case.body
            if step.otherwise is not None:
                yield "otherwise", step.otherwise
        case RefineStep():
            yield "review", step.review
            yield "improve", step.improve


def walk(steps: tuple[StepSpec, ...], prefix: str = "") -> Iterator[tuple[str, StepSpec]]:
    """Every step, bodies and sub-chains included, with its static path (`outer/draft`.

    No indices), in declaration order.
    """
    for step in steps:
        yield prefix + step.name, step
        for _, body in blocks(step):
            yield from walk(body.steps, prefix)
        if isinstance(step, SubChain):
            yield from walk(step.chain.steps, f"{prefix}{step.name}/")


def load(data: Mapping[str, Any] | str | bytes) -> ChainSpec:
    """A ChainSpec from its JSON. Raises pydantic.ValidationError; `compile` checks what the shape cannot say."""
    if isinstance(data, (str, bytes)):
        return ChainSpec.model_validate_json(data)
    return ChainSpec.model_validate(data)


def dump(spec: ChainSpec) -> str:
    """A ChainSpec as JSON; `load` gives back an equal spec."""
    return spec.model_dump_json()
