"""What keeping an edit takes: patches of the author's files, and advice for what no patch can do. Writes nothing.

Compares two specs of one chain, as it was recorded and as it was edited; knows no run and no store.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from chainlab.errors import PatchError
from chainlab.source.around import decorator_arguments, prompt_function, shown_place, signature_with, variable_of
from chainlab.source.make import make_patch
from chainlab.source.patch import Patch
from chainlab.spec import schema as types
from chainlab.spec.chain import ChainSpec, MessageSpec, PromptStep, Sampling, SourceRef, walk
from chainlab.spec.expr import ConstExpr, Expr, RefExpr, refs, write
from chainlab.spec.override import written_models
from chainlab.spec.template_check import unused_variables


@dataclass(frozen=True, slots=True)
class Advice:
    """Something for a person to do or to know; `where` is `file:line`, '' when no place is known."""

    where: str
    what: str


@dataclass(frozen=True, slots=True)
class KeptText:
    """One edited template: its patch, or the problem that there is none. `new` is the text to copy."""

    role: str
    where: str
    new: str
    patch: Patch | None = None
    problem: PatchError | None = None


@dataclass(frozen=True, slots=True)
class PromptPatch:
    """What one edited prompt step needs in the author's files. `path` is its static path, `step` its definition."""

    path: str
    step: str
    texts: tuple[KeptText, ...]
    advice: tuple[Advice, ...]

    @property
    def patches(self) -> tuple[Patch, ...]:
        """The patches; `chainlab.source.patch.merge_patches` makes one of those for the same file."""
        return tuple(text.patch for text in self.texts if text.patch is not None)


_Place = tuple[str, int, str | None]


@dataclass(frozen=True, slots=True)
class _Keeping:
    """What one comparison works with: both specs, their prompts by path, the new texts of each place.

    `models`: the names that each prompt's model has in both, the overrides by chains put in.
    """

    before: ChainSpec
    root: Path
    old: Mapping[str, PromptStep]
    new: Mapping[str, PromptStep]
    texts: Mapping[_Place, frozenset[str]]
    models: Mapping[str, tuple[tuple[str, ...], tuple[str, ...]]]


def kept_patches(spec_before: ChainSpec, spec_after: ChainSpec, root: Path) -> tuple[PromptPatch, ...]:
    """For every prompt step that an edit changed: patches or reasons, and what else the author's code needs.

    `root` is the project's root: no file outside it is ever patched. The patches are made against the files as they
    are now. Steps of one definition share its text: edited alike they get the same patch.
    """
    old = {path: step for path, step in walk(spec_before.steps) if isinstance(step, PromptStep)}
    new = {path: step for path, step in walk(spec_after.steps) if isinstance(step, PromptStep)}
    edited: dict[_Place, frozenset[str]] = {}
    for path in old.keys() & new.keys():
        for was, now in _pairs(old[path], new[path]):
            if was is not None and was.template != now.template and (place := _place(was)) is not None:
                edited[place] = edited.get(place, frozenset()) | {now.template}
    names = written_models(spec_before), written_models(spec_after)
    models = {path: (names[0][path], names[1][path]) for path in old.keys() & new.keys()}
    keeping = _Keeping(spec_before, root, old, new, edited, models)
    found = (_step(keeping, path) for path in old if path in new)
    return tuple(patch for patch in found if patch.texts or patch.advice)


def _step(keeping: _Keeping, path: str) -> PromptPatch:
    was, now = keeping.old[path], keeping.new[path]
    pairs = [(a, b) for a, b in _pairs(was, now) if a is None or a.template != b.template]
    texts = tuple(_text(keeping, a, b) for a, b in pairs)
    advice = [
        *_shared(keeping, path, [(a, b) for a, b in pairs if a is not None]),
        *_model(keeping, path),
        *_sampling(keeping, was, now),
        *_parameters(keeping, was, now),
        *_bindings(keeping, path),
    ]
    return PromptPatch(path, was.step, texts, tuple(advice))


def _pairs(was: PromptStep, now: PromptStep) -> Iterator[tuple[MessageSpec | None, MessageSpec]]:
    # Each message of the edited step with the one it was; an edit may put in a system or a user message.
    left = list(was.messages)
    for message in now.messages:
        yield (left.pop(0) if left and left[0].role == message.role else None), message


def _place(message: MessageSpec) -> _Place | None:
    source = message.source
    return None if source is None or not source.patchable else (source.file, source.line, source.text_hash)


def _text(keeping: _Keeping, was: MessageSpec | None, now: MessageSpec) -> KeptText:
    source = None if was is None else was.source
    where = "" if source is None else shown_place(source, keeping.root)
    try:
        return KeptText(now.role, where, now.template, patch=_patch(keeping, was, now))
    except PatchError as error:
        return KeptText(now.role, where, now.template, problem=error)


def _patch(keeping: _Keeping, was: MessageSpec | None, now: MessageSpec) -> Patch:
    if was is None:
        raise PatchError(
            f"the prompt has no {now.role} message that could be replaced",
            code="patch-new",
            remedy='give its decorator system="..." with the new text'
            if now.role == "system"
            else f"add {now.role}(...) with the new text to messages=[...]",
        )
    if was.source is None:
        raise PatchError(
            "it is not recorded where the template stands: the chain came from JSON",
            code="patch-unknown",
            remedy="copy the new text to where the chain is made",
        )
    place = _place(was)
    if place is not None and len(keeping.texts[place]) > 1:
        raise PatchError(
            "steps that share this text were edited differently",
            code="patch-conflict",
            file=was.source.file,
            line=was.source.line,
            remedy="give one of the steps a prompt of its own, with its new text",
        )
    return make_patch(was.source, was.template, now.template, keeping.root)


def _shared(keeping: _Keeping, path: str, edited: list[tuple[MessageSpec, MessageSpec]]) -> Iterator[Advice]:
    for was, now in edited:
        place = _place(was)
        for other, step in keeping.new.items():
            same = any(_place(message) == place and message.template != now.template for message in step.messages)
            if was.source is not None and place is not None and other != path and same:
                yield Advice(
                    shown_place(was.source, keeping.root),
                    f"{other} uses the same text, and changes with it; to leave it as it is, give {path} a prompt of"
                    f" its own",
                )


def _at(keeping: _Keeping, source: SourceRef | None) -> str:
    return "" if source is None else shown_place(source, keeping.root)


def _argument(keeping: _Keeping, step: PromptStep, name: str) -> str:
    # The line of a decorator's argument, where it can be found; else of the decorator.
    if step.source is None:
        return ""
    function = prompt_function(step.source, step.step, keeping.root)
    found = None if function is None else decorator_arguments(function).get(name)
    if found is None:
        return shown_place(step.source, keeping.root)
    return shown_place(step.source.model_copy(update={"line": found.lineno}), keeping.root)


def _model(keeping: _Keeping, path: str) -> Iterator[Advice]:
    was = keeping.old[path]
    before, after = keeping.models[path]
    if before == after:
        return
    new = _written(after)
    override = next((key for key in (path, was.name, was.step, *was.model) if key in keeping.before.models), None)
    if override is not None:
        old = keeping.before.models[override]
        what = f"the chain's .with_(models={{{override!r}: {old!r}}}) decides the model: write {path!r}: {new} there"
        yield Advice(_at(keeping, keeping.before.source), what)
        return
    yield from _option(keeping, was, "model", _written(was.model), new)


def _written(model: tuple[str, ...]) -> str | None:
    return repr(model[0] if len(model) == 1 else list(model)) if model else None


def _sampling(keeping: _Keeping, was: PromptStep, now: PromptStep) -> Iterator[Advice]:
    for name in Sampling.model_fields:
        old, new = getattr(was.sampling, name), getattr(now.sampling, name)
        if old != new:
            yield from _option(keeping, was, name, _constant(old), _constant(new))


def _constant(value: object) -> str | None:
    if value is None or value == ():
        return None
    return repr(list(value) if isinstance(value, tuple) else value)


def _option(keeping: _Keeping, step: PromptStep, name: str, old: str | None, new: str | None) -> Iterator[Advice]:
    where = _argument(keeping, step, name)
    hand_over = f"in the decorator of {step.step}, or in the .with_(...) that sets it"
    if new is None:
        yield Advice(where, f"remove {name}={old} {hand_over}")
    elif old is None:
        yield Advice(where, f"add {name}={new} to the decorator of {step.step}")
    else:
        yield Advice(where, f"write {name}={new} instead of {name}={old} {hand_over}")


def _parameters(keeping: _Keeping, was: PromptStep, now: PromptStep) -> Iterator[Advice]:
    # New ones, and those that no template mentions any more: declaration refuses an unused parameter.
    added = {name: types.describe(schema) for name, schema in now.params.items() if name not in was.params}
    unused = set(now.params)
    for message in now.messages:
        unused &= set(unused_variables(message.template, now.params))
    removed = [name for name in was.params if name in unused]
    if not added and not removed:
        return
    function = None if was.source is None else prompt_function(was.source, was.step, keeping.root)
    names = ", ".join([*(f"add {name}: {written}" for name, written in added.items())])
    gone = ", ".join(f"remove {name}, which no template mentions any more" for name in removed)
    what = f"parameters of {was.step}: " + "; ".join(part for part in (names, gone) if part)
    if function is None or was.source is None:
        yield Advice(_at(keeping, was.source), what)
    else:
        at = was.source.model_copy(update={"line": function.lineno})
        yield Advice(shown_place(at, keeping.root), f"{what}: {signature_with(function, added, removed)}")
    if removed:
        yield Advice(_at(keeping, was.called), f"call {was.step} without {', '.join(removed)}")


def _bindings(keeping: _Keeping, path: str) -> Iterator[Advice]:
    was, now = keeping.old[path], keeping.new[path]
    for name, expr in now.args.items():
        if was.args.get(name) == expr:
            continue
        where = _at(keeping, was.called)
        if isinstance(expr, ConstExpr) and name in was.args:
            yield Advice(where, f"{name} was set by hand for the edit: nothing in the source changes for it")
            continue
        yield Advice(where, f"call {was.step} with {name}={_spelled(keeping, path, expr)}")
        yield from _unnamed(keeping, path, expr)


def _spelled(keeping: _Keeping, path: str, expr: Expr) -> str:
    # As the author would write it: with the variable that holds a step's output, where there is one.
    if not isinstance(expr, RefExpr) or expr.of != "step":
        return write(expr)
    called = _called(keeping, path, expr.name)
    variable = None if called is None else variable_of(called, keeping.root)
    return write(expr.model_copy(update={"name": variable or _new_variable(expr)}))


def _new_variable(ref: RefExpr) -> str:
    return f"{ref.name.replace('~', '_')}_result"


def _unnamed(keeping: _Keeping, path: str, expr: Expr) -> Iterator[Advice]:
    for ref in refs(expr):
        called = _called(keeping, path, ref.name) if ref.of == "step" else None
        if called is not None and variable_of(called, keeping.root) is None:
            yield Advice(
                shown_place(called, keeping.root),
                f"put the result of {ref.name} into a variable, {_new_variable(ref)}, to pass it on",
            )


def _called(keeping: _Keeping, path: str, name: str) -> SourceRef | None:
    prefix = path.rpartition("/")[0]
    steps = dict(walk(keeping.before.steps))
    step = steps.get(f"{prefix}/{name}" if prefix else name)
    return None if step is None else step.called
