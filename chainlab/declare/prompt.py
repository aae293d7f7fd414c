"""@prompt: a prompt step as data, from a template, a file, or messages."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, NoReturn, ParamSpec, Self, TypeVar, cast, get_args, get_origin, overload

from chainlab.declare.lift import type_name
from chainlab.declare.messages import Message
from chainlab.declare.options import check_options
from chainlab.declare.runnable import Program, Runnable, inputs_json
from chainlab.declare.scope import called_at, current, quietly, refuse
from chainlab.declare.signature import Signature, place_of, signature_of
from chainlab.declare.where import Where
from chainlab.declare.wire import made, wire
from chainlab.source.place import TextPlace, read_template_file, template_places, text_hash
from chainlab.spec.chain import ChainSpec, MessageSpec, Policy, PromptStep, Sampling, SourceRef
from chainlab.spec.expr import RefExpr
from chainlab.spec.feedback import FEEDBACK_VARIABLES
from chainlab.spec.template_check import check_template, unused_variables
from chainlab.values.codec import Json
from chainlab.values.near import nearest
from chainlab.values.pictures import has_pictures
from chainlab.values.types import accept_type, has_validators

P = ParamSpec("P")
R = TypeVar("R")
R_co = TypeVar("R_co", covariant=True)


def fill() -> NoReturn:
    """The body of a prompt step: `return fill()`.

    A model fills in the result; calling the function itself is a mistake.
    """
    refuse(
        "wrong-place",
        "fill() was called: it is only the body of a @prompt function, whose result a model gives",
        remedy="call the prompt itself in a @chain, or run it with .run_sync(...)",
    )


class Prompt(Runnable[P, R_co]):
    """A typed prompt step. Call it in a chain body; run it alone with `run` or `run_sync`."""

    def __init__(
        self, fn: Callable[P, Any], signature: Signature, messages: tuple[MessageSpec, ...], options: Mapping[str, Any]
    ) -> None:
        self.fn = fn
        self.name: str = options["name"] or fn.__name__
        self._signature = signature
        self._messages = messages
        self._options = options
        self._root: object = self
        self.__doc__ = fn.__doc__
        self.__module__ = fn.__module__
        self.__wrapped__ = fn

    def __repr__(self) -> str:
        return f"<Prompt {self.name}{self._signature.python}>"

    def with_(
        self,
        *,
        name: str | None = None,
        model: str | Sequence[str] | None = None,
        temperature: float | None = None,
        max_tokens: int | None = None,
        stop: Sequence[str] | None = None,
        seed: int | None = None,
        top_p: float | None = None,
        retries: int | None = None,
        timeout: float | None = None,
        cache: bool | None = None,
        tags: Sequence[str] | None = None,
    ) -> Self:
        """The same prompt with other options; the prompt itself does not change."""
        given = {key: value for key, value in locals().items() if key != "self" and value is not None}
        given.pop("__class__", None)
        check_options(self.name, given, place=None)
        other = copy.copy(self)
        other._options = {**self._options, **given}
        other.name = other._options["name"] or self.name
        return other

    def node(self, name: str, args: dict[str, Any], called: SourceRef | None) -> PromptStep:
        """The spec node of one use of this prompt."""
        options = self._options
        model = options["model"]
        return PromptStep(
            name=name,
            step=self.name,
            source=self.source,
            called=called,
            messages=self._messages,
            params={key: parameter.schema for key, parameter in self._signature.params.items()},
            args=args,
            output=self._signature.result_schema,
            validated_by=self._validated_by(),
            model=() if model is None else (model,) if isinstance(model, str) else tuple(model),
            sampling=Sampling(
                temperature=options["temperature"],
                max_tokens=options["max_tokens"],
                stop=tuple(options["stop"] or ()),
                seed=options["seed"],
                top_p=options["top_p"],
            ),
            policy=Policy(retries=options["retries"], timeout=options["timeout"], cache=options["cache"]),
            feedback=options["feedback"],
            logprobs=options["logprobs"],
            n=options["n"],
            tags=tuple(options["tags"] or ()),
        )

    @property
    def reply_type(self) -> Any:
        """The type that replies are checked against: the result's, or, with `n`, that of its items."""
        result = self._signature.result
        return result if self._options["n"] is None else item_type(result)

    @property
    def result_schema(self) -> Mapping[str, Any]:
        """The same as JSON Schema."""
        return self._signature.result_schema

    def _validated_by(self) -> str | None:
        if not has_validators(self.reply_type):
            return None
        return f"{self.fn.__module__}:{self.fn.__qualname__}"

    @property
    def source(self) -> SourceRef:
        """Where the prompt is declared."""
        place = place_of(self.fn)
        return SourceRef(file=place.file, line=place.line)

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> R_co:
        """Wire the prompt into the chain being declared."""
        wired = wire("prompt", self, self._root, self._signature, args, kwargs)
        wired.scope.frame.steps.append(self.node(wired.name, wired.args, called_at(wired.scope)))
        wired.scope.accepts[wired.name] = accept_type(self.reply_type)
        return cast(R_co, made(wired, self._signature))

    def program(self) -> Program:
        """A one-step chain of this prompt."""
        args = {key: RefExpr(of="input", name=key) for key in self._signature.params}
        step = self.node(self.name, dict(args), None)
        return one_step_program(self.name, step, self._signature, {}, {self.name: accept_type(self.reply_type)})

    def bind_inputs(self, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> dict[str, Json]:
        """Run inputs as JSON."""
        return bind_run_inputs(self.name, self._signature, args, kwargs)


def bind_run_inputs(
    name: str, signature: Signature, args: tuple[Any, ...], kwargs: Mapping[str, Any]
) -> dict[str, Json]:
    """Run inputs by name, defaults filled in."""
    from chainlab.errors import ChainError

    try:
        bound = signature.bind(name, args, kwargs)
    except ChainError as error:
        error.code = "run-input"
        raise
    values = inputs_json(name, {key: parameter.tp for key, parameter in signature.params.items()}, bound)
    return {key: values[key] if key in values else parameter.default for key, parameter in signature.params.items()}


def one_step_program(name: str, step: Any, signature: Signature, code: Any, accepts: Any) -> Program:
    """The program of a step run alone."""
    spec = ChainSpec(
        name=name,
        inputs={key: parameter.schema for key, parameter in signature.params.items()},
        defaults={key: p.default for key, p in signature.params.items() if p.has_default},
        steps=(step,),
        output=RefExpr(of="step", name=step.name),
        output_schema=signature.result_schema,
        source=step.source,
    )
    return Program(spec, code, accepts, {key: p.tp for key, p in signature.params.items()}, signature.result)


@overload
def prompt(
    template: str,
    /,
    *,
    system: str | None = None,
    name: str | None = None,
    model: str | Sequence[str] | None = None,
    temperature: float | None = None,
    max_tokens: int | None = None,
    stop: Sequence[str] = (),
    seed: int | None = None,
    top_p: float | None = None,
    retries: int = 1,
    feedback: str | None = None,
    logprobs: bool = False,
    n: int | None = None,
    timeout: float | None = None,
    cache: bool = False,
    tags: Sequence[str] = (),
) -> Callable[[Callable[P, R]], Prompt[P, R]]: ...
@overload
def prompt(
    *,
    file: str,
    system: str | None = None,
    name: str | None = None,
    model: str | Sequence[str] | None = None,
    temperature: float | None = None,
    max_tokens: int | None = None,
    stop: Sequence[str] = (),
    seed: int | None = None,
    top_p: float | None = None,
    retries: int = 1,
    feedback: str | None = None,
    logprobs: bool = False,
    n: int | None = None,
    timeout: float | None = None,
    cache: bool = False,
    tags: Sequence[str] = (),
) -> Callable[[Callable[P, R]], Prompt[P, R]]: ...
@overload
def prompt(
    *,
    messages: Sequence[Message],
    name: str | None = None,
    model: str | Sequence[str] | None = None,
    temperature: float | None = None,
    max_tokens: int | None = None,
    stop: Sequence[str] = (),
    seed: int | None = None,
    top_p: float | None = None,
    retries: int = 1,
    feedback: str | None = None,
    logprobs: bool = False,
    n: int | None = None,
    timeout: float | None = None,
    cache: bool = False,
    tags: Sequence[str] = (),
) -> Callable[[Callable[P, R]], Prompt[P, R]]: ...
def prompt(
    template: Any = None,
    /,
    *,
    file: str | None = None,
    messages: Sequence[Message] | None = None,
    system: str | None = None,
    name: str | None = None,
    model: str | Sequence[str] | None = None,
    temperature: float | None = None,
    max_tokens: int | None = None,
    stop: Sequence[str] = (),
    seed: int | None = None,
    top_p: float | None = None,
    retries: int = 1,
    feedback: str | None = None,
    logprobs: bool = False,
    n: int | None = None,
    timeout: float | None = None,
    cache: bool = False,
    tags: Sequence[str] = (),
) -> Any:
    """Declare a prompt step: a Jinja template whose variables are the function's parameters.

    `retries` counts replies that fail the result's type and are sent back with the error; `feedback` is the template of
    that message (variables `errors`, `reply`); `timeout` is seconds per attempt; `n` asks for so many replies, and the
    result is a list of them; `cache` takes an output that an earlier run got for exactly the same request. `model` may
    be a list: where one fails, the next is asked. Raises ChainError.
    """
    options = {
        "name": name,
        "model": model,
        "temperature": temperature,
        "max_tokens": max_tokens,
        "stop": stop,
        "seed": seed,
        "top_p": top_p,
        "retries": retries,
        "feedback": feedback,
        "logprobs": logprobs,
        "n": n,
        "timeout": timeout,
        "cache": cache,
        "tags": tags,
    }
    if callable(template):  # @prompt without parentheses
        _check_sources(template.__name__ if hasattr(template, "__name__") else "prompt", None, None, None, None)

    def decorate(fn: Callable[P, R]) -> Prompt[P, R]:
        place = place_of(fn)
        _check_sources(fn.__name__, template, file, messages, system)
        if current() is not None:
            refuse(
                "wrong-place",
                f"prompt {fn.__name__!r} is declared inside a chain body",
                remedy="declare it outside, at module level: there it cannot close over values that do not exist yet",
                where=place,
                step=fn.__name__,
            )
        check_options(fn.__name__, options, place=place)
        _check_feedback(fn.__name__, feedback, place)
        signature = signature_of(fn, "prompt")
        _check_result(fn.__name__, signature, options, place)
        written = _written(fn.__name__, template, file, messages, system)
        specs, places = _located(fn, written, place)
        for spec, text_place in zip(specs, places, strict=True):
            _check_template(fn.__name__, signature, spec, text_place)
        _check_unused(fn.__name__, signature, specs, place)
        return Prompt(fn, signature, tuple(specs), options)

    return quietly(decorate)


def _check_sources(
    name: str, template: Any, file: str | None, messages: Sequence[Message] | None, system: str | None
) -> None:
    given = [("a template", template), ("file=", file), ("messages=", messages)]
    sources = [label for label, value in given if value is not None]
    if len(sources) != 1:
        refuse(
            "bad-option",
            f"@prompt has {' and '.join(sources)}" if sources else "@prompt has no template",
            expected='one of: a template, file="...", messages=[...]',
            remedy='write @prompt("... {{ variable }} ...")',
            step=name,
        )
    if messages is not None and system is not None:
        refuse(
            "bad-option",
            "@prompt has messages= and system=",
            remedy="put system(...) first in messages=[...]",
            step=name,
        )
    if isinstance(template, str) and not template.strip():
        refuse("bad-option", "the template is empty", remedy='write @prompt("... {{ variable }} ...")', step=name)
    if template is not None and not isinstance(template, str):
        refuse(
            "bad-option",
            "the template is not text",
            got=type(template).__name__,
            remedy="give it as a str",
            step=name,
        )


def _check_result(name: str, signature: Signature, options: Mapping[str, Any], place: Where) -> None:
    """What a model cannot give, and what `n` replies cannot be."""
    n = options["n"]
    if has_pictures(signature.result_schema):
        refuse(
            "bad-result",
            f"prompt {name!r} returns an Image, and a model writes text",
            expected="a type that text can be",
            remedy="take Image as a parameter; make pictures in a @step",
            where=place,
            step=name,
        )
    if n is None:
        return
    if item_type(signature.result) is None:
        refuse(
            "bad-result",
            f"prompt {name!r} has n={n}, and does not return a list",
            expected="list[...] of what one reply is",
            got=type_name(signature.result),
            remedy=f"annotate it -> list[{type_name(signature.result)}]",
            where=place,
            step=name,
        )
    if n > 1 and options["temperature"] == 0:
        refuse(
            "bad-option",
            f"prompt {name!r} has n={n} and temperature=0: all replies would be the same",
            expected="a temperature above 0",
            remedy="leave n out, or raise temperature",
            where=place,
            step=name,
        )


def item_type(result: Any) -> Any:
    """The type of a list's items; None: it is no list."""
    while get_origin(result) is Annotated:
        result = get_args(result)[0]
    return get_args(result)[0] if get_origin(result) is list and get_args(result) else None


def _check_feedback(name: str, feedback: str | None, place: Where) -> None:
    """The template of what is said to a model about a wrong reply: a mistake in it would cost every retry."""
    for problem in check_template(feedback, FEEDBACK_VARIABLES) if feedback is not None else ():
        refuse(
            problem.code,
            f"in feedback=: {problem.message}",
            expected=problem.expected,
            got=problem.got,
            remedy=problem.remedy or "correct the template",
            where=place,
            step=name,
        )


def _written(
    name: str, template: str | None, file: str | None, messages: Sequence[Message] | None, system: str | None
) -> list[Message]:
    if messages is not None:
        if not messages or not all(isinstance(message, Message) for message in messages):
            refuse(
                "bad-option",
                "messages= is empty or holds something else",
                expected="a list of system(...), user(...) and assistant(...)",
                remedy="give [system(...), user(...), ...]",
                step=name,
            )
        return list(messages)
    head = [Message(role="system", template=system)] if system is not None else []
    return [*head, Message(role="user", template=template, file=file)]


def _located(fn: Callable[..., Any], written: list[Message], place: Where) -> tuple[list[MessageSpec], list[TextPlace]]:
    """Message specs, and the place of each text; files read."""
    literals = [message.template for message in written if message.template is not None]
    found = iter(template_places(place.file, place.line, fn.__name__, literals, fn.__globals__))
    specs, places = [], []
    for message in written:
        if message.file is not None:
            text, spot = _read(fn, message.file, place)
        else:
            assert message.template is not None
            text, spot = message.template, next(found)
        source = SourceRef(file=spot.file, line=spot.line, patchable=spot.patchable, text_hash=text_hash(text))
        specs.append(MessageSpec(role=message.role, template=text, file=message.file, source=source))
        places.append(spot)
    return specs, places


def _read(fn: Callable[..., Any], file: str, place: Where) -> tuple[str, TextPlace]:
    beside = fn.__globals__.get("__file__")
    try:
        return read_template_file(file, beside, fn.__globals__.get("__loader__"))
    except (OSError, UnicodeDecodeError) as error:
        refuse(
            "template-file",
            f"the template file {file!r} cannot be read: {error.strerror if isinstance(error, OSError) else error}",
            expected=f"a UTF-8 text file beside {beside}" if beside else "a UTF-8 text file in the working directory",
            remedy=_near_file(file, beside),
            where=place,
            step=fn.__name__,
        )


def _near_file(file: str, beside: str | None) -> str:
    folder = (Path(beside).parent if beside else Path.cwd()) / Path(file).parent
    names = [found.name for found in folder.iterdir()] if folder.is_dir() else []
    near = nearest(Path(file).name, names)
    return f"did you mean {near[0]!r}?" if near else "write the file, or correct its name"


def _check_template(name: str, signature: Signature, spec: MessageSpec, place: TextPlace) -> None:
    problems = check_template(spec.template, {key: p.schema for key, p in signature.params.items()})
    if not problems:
        return
    first = problems[0]
    inside = "" if place.first is not None else f" (line {first.line} of the template)" if "\n" in spec.template else ""
    refuse(
        first.code,
        first.message + inside,
        expected=first.expected,
        got=first.got,
        remedy=first.remedy or "correct the template",
        where=Where(place.file, place.line_of(first.line)),
        step=name,
    )


def _check_unused(name: str, signature: Signature, specs: list[MessageSpec], place: Where) -> None:
    schemas = {key: p.schema for key, p in signature.params.items()}
    unused = set(schemas)
    for spec in specs:
        unused &= set(unused_variables(spec.template, schemas))
    for key in signature.params:
        if key in unused:
            refuse(
                "unused-parameter",
                f"parameter {key!r} ({type_name(signature.params[key].tp)}) stands nowhere in the template",
                expected=f"{{{{ {key} }}}} in the template",
                remedy=f"use {{{{ {key} }}}} or remove the parameter",
                where=place,
                step=name,
            )
