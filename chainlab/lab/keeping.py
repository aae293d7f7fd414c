"""Keeping a fork: what its edits take in the author's files, written there on request; the fork noted as accepted.

A fork's edits are spread over its lineage, so its chain is compared with the one that the author's files held: that of
the nearest ancestor that is no fork, or the one that was given to a replay. Reads traces; runs nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from pydantic import BaseModel, ValidationError

from chainlab.errors import PatchError, StoreError
from chainlab.lab.keep import Advice, PromptPatch, kept_patches
from chainlab.source.apply import apply_patches
from chainlab.source.around import shown_place
from chainlab.source.patch import Patch, merge_patches
from chainlab.source.place import text_hash
from chainlab.spec.chain import ChainSpec, MessageSpec, PromptStep, StepSpec, load, walk
from chainlab.spec.edit import INPUT, Edit, with_step
from chainlab.spec.path import static_path
from chainlab.store.keep import mark_kept
from chainlab.trace import RunSummary, TraceReader
from chainlab.values.ids import now_us

_SETTINGS = ("model", "temperature", "max_tokens", "top_p", "seed", "stop")


@dataclass(frozen=True, slots=True)
class Unkept:
    """A new text that no patch puts into its place, and why: it is for a person to copy.

    `path` is the step's (an item's: `summarise[1]`), `where` the place of its template as it was recorded, '' for none.
    """

    path: str
    role: str
    where: str
    text: str
    error: PatchError


@dataclass(frozen=True, slots=True)
class KeepPlan:
    """What it takes to keep a fork.

    `patches`: one for each file, made against the files as they are now (`file` and `diff` are what people read).
    `in_place`: where a file has the new text already. `problems`: texts that cannot be patched. `advice`: what else the
    author's code needs, as far as it can be told without running it. `notes`: what there is nothing to change for.
    `refused`: why the fork cannot be kept as it is. `kept_at`: when it was accepted (microseconds since 1970; None: not
    yet). `applied`: the files that have just been written.
    """

    run_id: str
    chain: str
    patches: tuple[Patch, ...]
    in_place: tuple[str, ...]
    problems: tuple[Unkept, ...]
    advice: tuple[Advice, ...]
    notes: tuple[str, ...]
    refused: PatchError | None = None
    kept_at: int | None = None
    applied: tuple[str, ...] = ()

    @property
    def empty(self) -> bool:
        """Whether the author's files need nothing, and have needed nothing."""
        return not (self.patches or self.in_place or self.problems or self.advice)


def plan_keep(reader: TraceReader, run_id: str, root: Path) -> KeepPlan:
    """What keeping a fork takes. Writes nothing. `root`: the project's; no file outside it is ever patched.

    Raises StoreError `run-not-found`; PatchError `no-fork`, `fork-live`, `no-spec`, and `patch-conflict` when a file
    changed while it was read.
    """
    fork = _fork(reader, run_id)
    after = _spec(reader, fork)
    made_by = _made_by(reader, fork.id)
    line = _lineage(reader, fork, made_by)
    before = _without_edits(after) if line.before is None else line.before
    steps = kept_patches(before, after, root)
    problems = [*_problems(steps), *_of_items(made_by, after, fork.id, root)]
    return KeepPlan(
        run_id=fork.id,
        chain=fork.chain,
        patches=merge_patches(patch for step in steps for patch in step.patches),
        in_place=tuple(dict.fromkeys(_in_place(steps))),
        problems=tuple(problems),
        advice=tuple(dict.fromkeys([*(one for step in steps for one in step.advice), *_settings(made_by, line, fork)])),
        notes=tuple(dict.fromkeys([*line.notes, *_by_hand(made_by, line)])),
        refused=_refusal(fork),
        kept_at=fork.kept_at,
    )


def keep(
    reader: TraceReader, store: Path, run_id: str, root: Path, *, apply: bool = False, force: bool = False
) -> KeepPlan:
    """Note a fork as accepted; with `apply`, first write what can be patched into the author's files.

    Keeping again changes nothing, but for patches that were not applied before. The files are written before the note:
    a crash between the two leaves patched files, which the next keep finds in place. `force` keeps a fork that did not
    end ok. Raises as `plan_keep`; PatchError `fork-failed`, and as `apply_patches`: then the fork is not noted.
    """
    plan = plan_keep(reader, run_id, root)
    if plan.refused is not None and not force:
        raise plan.refused
    applied = apply_patches(plan.patches) if apply else ()
    kept_at = mark_kept(store, plan.run_id, now_us())
    return replace(plan, kept_at=kept_at, applied=tuple(patch.file for patch in applied))


# -- the fork and where it came from -----------------------------------------------------------------------------------


class _Made(BaseModel):
    edit: Edit


class _MadeBy(BaseModel):
    """What is stored with a fork, as far as keeping asks. `chain`: the author's chain of then, where it was given."""

    edits: tuple[_Made, ...] = ()
    inherited: tuple[_Made, ...] = ()
    chain: ChainSpec | None = None

    def standing(self) -> tuple[Edit, ...]:
        """Every edit that made the fork and is no part of its chain's definition: its own, and what it inherited."""
        return tuple(made.edit for made in (*self.inherited, *self.edits))

    def replaced_inputs(self) -> Iterator[str]:
        """The run's own inputs that were replaced."""
        for made in self.edits:
            if made.edit.step == INPUT:
                yield from made.edit.inputs or ()


@dataclass(frozen=True, slots=True)
class _Lineage:
    """Where a fork came from. `before`: the chain that the author's files held; None: what knew it is deleted."""

    before: ChainSpec | None
    inputs: tuple[str, ...]
    notes: tuple[str, ...] = ()


def _lineage(reader: TraceReader, fork: RunSummary, made_by: _MadeBy) -> _Lineage:
    """Walk from a fork to the run it all began with."""
    run, before, inputs = fork, made_by.chain, list(made_by.replaced_inputs())
    while run.parent_run_id is not None:
        parent = _run(reader, run.parent_run_id)
        if parent is None:
            return _torn(reader, fork, run.parent_run_id, before, tuple(inputs))
        run, made_by = parent, _made_by(reader, parent.id)
        before = before or made_by.chain
        inputs += made_by.replaced_inputs()
    return _Lineage(before or _spec(reader, run), tuple(inputs))


def _torn(
    reader: TraceReader, fork: RunSummary, gone: str, before: ChainSpec | None, inputs: tuple[str, ...]
) -> _Lineage:
    """A run of the lineage was deleted. Every fork names the run that it all began with: that may still be there."""
    if before is not None:
        return _Lineage(before, inputs)
    first = _run(reader, fork.root_run_id)
    if first is not None:
        note = f"run {gone}, from which this fork came, is deleted: it was compared with {first.id}, the first run"
        return _Lineage(_spec(reader, first), inputs, (note,))
    note = (
        f"run {gone}, from which this fork came, is deleted: texts are found by what was recorded of their places, and"
        f" models, sampling and parameters that earlier forks changed are not known"
    )
    return _Lineage(None, inputs, (note,))


def _without_edits(spec: ChainSpec) -> ChainSpec:
    """A chain that differs from a fork's in every text that the author's file did not hold.

    What the file held is known by its hash only, and a patch asks for no more: the old text itself stays empty here.
    """
    for path, step in walk(spec.steps):
        if isinstance(step, PromptStep):
            known = [message for message in step.messages if message.source is not None]
            messages = tuple(_unedited(message) for message in known or step.messages)
            spec = with_step(spec, path, step.model_copy(update={"messages": messages}))
    return spec


def _unedited(message: MessageSpec) -> MessageSpec:
    source = message.source
    if source is None or source.text_hash in (None, text_hash(message.template)):
        return message
    return message.model_copy(update={"template": ""})


def _fork(reader: TraceReader, run_id: str) -> RunSummary:
    run = _run(reader, run_id)
    if run is None:
        raise StoreError(
            f"there is no run {run_id!r}", code="run-not-found", remedy="list the runs with `chainlab runs`"
        )
    if run.parent_run_id is None:
        raise PatchError(
            f"run {run_id} is no fork: nothing was edited for it",
            code="no-fork",
            remedy="replay it with an edit, and keep that fork",
        )
    if run.status in ("queued", "running"):
        raise PatchError(
            f"fork {run_id} is still {run.status}",
            code="fork-live",
            expected="a fork that has ended",
            remedy="wait for its end, or cancel it",
        )
    return run


def _refusal(fork: RunSummary) -> PatchError | None:
    if fork.status == "ok":
        return None
    why = "" if fork.error is None else f": {fork.error.message.partition(chr(10))[0]}"
    return PatchError(
        f"fork {fork.id} is {fork.status}{why}",
        code="fork-failed",
        expected="a fork that ended ok",
        remedy="replay it until it is right; to keep it as it is, say force=True, or --force",
    )


def _run(reader: TraceReader, run_id: str) -> RunSummary | None:
    trace = reader.trace(run_id, max_bytes=0)
    return None if trace is None else trace.run


def _spec(reader: TraceReader, run: RunSummary) -> ChainSpec:
    body = reader.spec(run.spec_hash)
    try:
        if body is not None:
            return load(body)
        why = "is not stored"
    except ValidationError as error:
        why = f"cannot be read: {error.errors(include_url=False)[0]['msg']}"
    raise PatchError(
        f"the chain of run {run.id} {why}",
        code="no-spec",
        remedy="keep it with the version of chainlab that recorded it",
    )


def _made_by(reader: TraceReader, run_id: str) -> _MadeBy:
    edits = reader.hashes(run_id).edits
    try:
        return _MadeBy() if edits is None else _MadeBy.model_validate(edits)
    except ValidationError as error:
        raise PatchError(
            f"the edits of run {run_id} cannot be read: {error.errors(include_url=False)[0]['msg']}",
            code="no-spec",
            remedy="keep it with the version of chainlab that recorded it",
        ) from None


# -- what cannot be patched, and what needs no patch -------------------------------------------------------------------


def _in_place(steps: tuple[PromptPatch, ...]) -> Iterator[str]:
    for step in steps:
        for text in step.texts:
            if text.problem is not None and text.problem.code == "patch-applied":
                yield f"{text.problem.file}:{text.problem.line}"


def _problems(steps: tuple[PromptPatch, ...]) -> Iterator[Unkept]:
    for step in steps:
        for text in step.texts:
            if text.problem is not None and text.problem.code != "patch-applied":
                yield Unkept(step.path, text.role, text.where, text.new, text.problem)


def _of_items(made_by: _MadeBy, spec: ChainSpec, run_id: str, root: Path) -> Iterator[Unkept]:
    """Texts of single items and rounds: the source has one prompt for all of them."""
    steps = dict(walk(spec.steps))
    for edit in made_by.standing():
        static = static_path(edit.step)
        for role, option, text in (("system", "--system", edit.system), ("user", "--template", edit.template)):
            if text is not None and edit.step != static:
                error = PatchError(
                    f"{edit.step} was edited alone, and its prompt in the source is that of every {static}",
                    code="patch-item",
                    remedy="replay with this edit on the whole step, and keep that fork:"
                    f" chainlab replay {run_id} --step {static} {option} @FILE",
                )
                yield Unkept(edit.step, role, _place_of(steps.get(static), role, root), text, error)


def _place_of(step: StepSpec | None, role: str, root: Path) -> str:
    messages = step.messages if isinstance(step, PromptStep) else ()
    sources = [message.source for message in messages if message.role == role and message.source is not None]
    return shown_place(sources[-1], root) if sources else ""


def _settings(made_by: _MadeBy, line: _Lineage, fork: RunSummary) -> Iterator[Advice]:
    """What edits say of models and sampling, where no comparison of two chains shows it."""
    for edit in made_by.standing():
        static = static_path(edit.step)
        given = ", ".join(f"{name}={value!r}" for name in _SETTINGS if (value := getattr(edit, name)) is not None)
        if given and edit.step != static:
            what = f"{edit.step} ran with {given}, alone; to keep that, replay with it on the whole step:"
            yield Advice("", f"{what} chainlab replay {fork.id} --step {static} ...")
        elif line.before is None and (given or edit.bind):
            bound = "".join(f", called with {name}={value}" for name, value in (edit.bind or {}).items())
            yield Advice("", f"{static} was edited: {(given + bound).removeprefix(', ')}; write that where it stands")


def _by_hand(made_by: _MadeBy, line: _Lineage) -> Iterator[str]:
    """What was set by hand: it is no part of any source."""
    names = ", ".join(sorted(set(line.inputs)))
    if names:
        yield f"inputs of the run were replaced ({names}): nothing in the source changes for that"
    for edit in made_by.standing():
        if edit.sets_output:
            yield f"the output of {edit.step} was set by hand: nothing in the source changes for that"
        elif edit.inputs and edit.step not in (INPUT, static_path(edit.step)):
            yield f"inputs of {edit.step} were set by hand ({', '.join(edit.inputs)}): nothing in the source changes"
