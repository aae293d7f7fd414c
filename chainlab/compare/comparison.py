"""Two runs compared step by step: what differs, from rows and hashes alone. Pure; loads no value.

Equal hashes are equal values, so a list of thousands of steps costs no payload. What a step's difference is, word by
word, is `difference.py`'s work, for the one step that is opened.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, TypeAlias

from chainlab.compare.align import align
from chainlab.compare.definition import SettingDiff, settings, templates
from chainlab.compare.difference import InputDiff, StepDiff, same_error
from chainlab.compare.facts import RunFacts, StepFacts
from chainlab.compare.values import ValueDiff
from chainlab.events import StepKind
from chainlab.spec.chain import PromptStep
from chainlab.trace import Datum, RunSummary, StepHashes, StepSummary

Verdict: TypeAlias = Literal["same", "reused", "changed", "only-a", "only-b"]
Difference: TypeAlias = Literal[
    "kind",
    "template",
    "code",
    "definition",
    "schema",
    "sampling",
    "model",
    "adapter",
    "inputs",
    "prompt",
    "by-hand",
    "status",
    "error",
    "output",
]
Relation: TypeAlias = Literal["itself", "fork", "parent", "relative"]

_LEAVES = ("prompt", "code")
_RESULTS: frozenset[Difference] = frozenset({"status", "error", "output"})
_TAKEN = ("reused", "cached")


@dataclass(frozen=True, slots=True)
class StepComparison:
    """One step in both runs.

    `same`: both ran, and nothing differs. `reused`: one run took the output over instead of running, so it is the same
    value; `differs` may still tell that it would run otherwise now. `changed`: `differs` says in what. `only-a`,
    `only-b`: the other run has no such step. Tokens, times and costs stand in the rows `a` and `b`; they are never a
    difference.
    """

    verdict: Verdict
    differs: tuple[Difference, ...]
    a: StepSummary | None
    b: StepSummary | None

    @property
    def path(self) -> str:
        """Its path: that of b where b has it."""
        return self.row.path

    @property
    def kind(self) -> StepKind:
        """Its kind in b, where b has it."""
        return self.row.kind

    @property
    def row(self) -> StepSummary:
        """Its row in b, else in a."""
        row = self.b or self.a
        assert row is not None
        return row

    @property
    def moved_from(self) -> str | None:
        """Its path in a, where that is another: an item that moved, a step that was renamed."""
        return self.a.path if self.a is not None and self.b is not None and self.a.path != self.b.path else None

    @property
    def diverges(self) -> bool:
        """Whether the runs differ here."""
        return self.verdict not in ("same", "reused")


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two runs, a and b, compared.

    `relation` is what b is to a: `fork` (made from it), `parent`, `relative` (of one origin), `itself`; None: nothing.
    `inputs` are the names of the chain's inputs that differ. `first_divergence` is the path of the first step that
    differs and is no mere consequence of what is inside it. `opened` is one step in full (the first divergence, unless
    another was asked for); `input_diffs` and `output` tell how the run's own values differ (None: they do not, or one
    run has none). These last three are filled by `read.read_comparison`.
    """

    a: RunSummary
    b: RunSummary
    relation: Relation | None
    inputs: tuple[str, ...]
    output_differs: bool
    steps: tuple[StepComparison, ...]
    first_divergence: str | None
    opened: StepDiff | None = None
    input_diffs: tuple[InputDiff, ...] = ()
    output: ValueDiff | None = None

    @property
    def equal(self) -> bool:
        """Whether the runs are the same in inputs, steps, status and output."""
        return not (
            self.inputs or self.output_differs or self.first_divergence is not None or self.a.status != self.b.status
        )

    @property
    def counts(self) -> Mapping[Verdict, int]:
        """How many steps have each verdict."""
        return Counter(step.verdict for step in self.steps)

    def step(self, path: str) -> StepComparison | None:
        """The step at a path of b, else at a path of a."""
        here = next((step for step in self.steps if step.b is not None and step.b.path == path), None)
        return here or next((step for step in self.steps if step.a is not None and step.a.path == path), None)


def compare(a: RunFacts, b: RunFacts) -> Comparison:
    """Compare two runs, step by step."""
    steps = tuple(_compared(here, there) for here, there in align(a, b))
    before, after = {given.name: given.hash for given in a.inputs}, {given.name: given.hash for given in b.inputs}
    return Comparison(
        a=a.run,
        b=b.run,
        relation=_relation(a.run, b.run),
        inputs=tuple(name for name in dict.fromkeys((*before, *after)) if before.get(name) != after.get(name)),
        output_differs=not same_datum(a.output, b.output),
        steps=steps,
        first_divergence=_first(steps),
    )


def same_datum(a: Datum | None, b: Datum | None) -> bool:
    """Whether two stored values are equal, whether or not their texts were loaded."""
    if a is None or b is None:
        return a is b
    return a.hash == b.hash if a.hash or b.hash else a.text == b.text


def _relation(a: RunSummary, b: RunSummary) -> Relation | None:
    if a.id == b.id:
        return "itself"
    if b.parent_run_id == a.id:
        return "fork"
    if a.parent_run_id == b.id:
        return "parent"
    return "relative" if a.root_run_id == b.root_run_id else None


def _first(steps: tuple[StepComparison, ...]) -> str | None:
    """The first cause. A composite step comes before what is inside it, and often differs only because that does."""
    diverging = [step for step in steps if step.diverges]
    causes = (
        step
        for step in diverging
        if step.kind in _LEAVES or step.verdict != "changed" or not _RESULTS.issuperset(step.differs)
    )
    found = next(causes, None) or next(iter(diverging), None)
    return None if found is None else found.path


def _compared(a: StepFacts | None, b: StepFacts | None) -> StepComparison:
    if a is None:
        return StepComparison("only-b", (), None, None if b is None else b.row)
    if b is None:
        return StepComparison("only-a", (), a.row, None)
    taken = a.row.status in _TAKEN or b.row.status in _TAKEN
    equal_output = a.row.output_hash == b.row.output_hash
    found = [*_defined(a, b), *_ran(a, b)]
    if taken and equal_output and _status(a.row) == _status(b.row):
        return StepComparison("reused", tuple(found), a.row, b.row)
    if _by_hand(a.row) != _by_hand(b.row):
        found.append("by-hand")
    if _status(a.row) != _status(b.row):
        found.append("status")
    elif not same_error(a.row.error, b.row.error):
        found.append("error")
    if not equal_output and None not in (a.row.output_hash, b.row.output_hash):
        found.append("output")
    return StepComparison("changed" if found else "same", tuple(found), a.row, b.row)


def _defined(a: StepFacts, b: StepFacts) -> list[Difference]:
    """What differs in what the steps are."""
    if a.row.kind != b.row.kind:
        return ["kind"]
    other = {setting.what for setting in settings(a.definition, b.definition)}
    known = a.definition is not None and b.definition is not None
    if known and templates(a.definition) != templates(b.definition):
        other.add("template")
    order: tuple[Difference, ...] = ("template", "code", "definition", "schema", "sampling")
    return [word for word in order if word in other]


def _ran(a: StepFacts, b: StepFacts) -> list[Difference]:
    """What differs in what they got and asked, where both got that far."""
    if not (_got_inputs(a.row) and _got_inputs(b.row)):
        return []
    models = {setting.what for setting in model_settings(a, b)}
    found: list[Difference] = ["model"] if "model" in models else []
    if "adapter" in models:
        found.append("adapter")
    if _given(a) != _given(b):
        found.append("inputs")
    if _asked_otherwise(a, b, bool(found)):
        found.append("prompt")
    return found


def _got_inputs(row: StepSummary) -> bool:
    return row.status != "skipped" and not _by_hand(row)


def _asked_otherwise(a: StepFacts, b: StepFacts, explained: bool) -> bool:
    """Whether the messages differ, as far as hashes tell.

    A request holds what the templates printed, and the model and its settings too. Another request with another
    template or input has other messages; so has one that nothing else explains.
    """
    if a.hashes.request is None or b.hashes.request is None or a.hashes.request == b.hashes.request:
        return False
    if templates(a.definition) != templates(b.definition) or _given(a) != _given(b):
        return True
    return not explained and not settings(a.definition, b.definition)


def model_settings(a: StepFacts | None, b: StepFacts | None) -> tuple[SettingDiff, ...]:
    """Which model and adapter answered, where that differs: resolved, where an attempt tells, else as written."""
    if a is None or b is None or not (_got_inputs(a.row) and _got_inputs(b.row)):
        return ()
    if a.row.kind != "prompt" or b.row.kind != "prompt":
        return ()
    both = a.hashes.model is not None and b.hashes.model is not None
    before, after = _model(a, both), _model(b, both)
    found = [SettingDiff("model", "model", before, after)] if before != after else []
    old, new = (step.hashes.adapter or step.row.adapter for step in (a, b))
    if old != new or (both and a.hashes.adapter_hash != b.hashes.adapter_hash):
        found.append(SettingDiff("adapter", "adapter", _adapter(old, a.hashes), _adapter(new, b.hashes)))
    return tuple(found)


def _model(step: StepFacts, resolved: bool) -> str | None:
    row, answered = step.row, step.hashes
    name = answered.model if resolved else row.model or _written(step)
    backend = answered.backend if resolved else row.backend
    return f"{backend}:{name}" if backend and name else name


def _written(step: StepFacts) -> str | None:
    written = step.definition.model if isinstance(step.definition, PromptStep) else ()
    return written[0] if written else None


def _adapter(name: str | None, answered: StepHashes) -> str | None:
    return f"{name} ({answered.adapter_hash[:8]})" if name and answered.adapter_hash else name


def _given(step: StepFacts) -> dict[str, str]:
    return {given.name: given.hash for given in step.hashes.inputs}


def _status(row: StepSummary) -> str:
    """`reused` and `cached` are ways to be ok."""
    return "ok" if row.status in _TAKEN else row.status


def _by_hand(row: StepSummary) -> bool:
    """An output that a person wrote: it was made in this very run, and not by running the step."""
    return row.status == "reused" and row.origin_run_id == row.run_id
