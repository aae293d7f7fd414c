"""The reuse rule: may a recorded output stand for this step? One place, asked by the preview and by the engine.

Forced are edited steps, failed and unfinished ones, and, within the scope, what follows them. Any other step is reused
when its reuse key is that of a recorded one: by path first, else by key, each record once. What has not changed keeps
its own record, whatever else could use it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

from chainlab.plan import PlanStep
from chainlab.replay.recorded import Recorded, usable
from chainlab.spec.path import static_path
from chainlab.trace import StepRecord
from chainlab.values.codec import Value

Scope: TypeAlias = Literal["step", "descendants", "changed", "all"]
OnDrift: TypeAlias = Literal["refuse", "reuse", "rerun"]
Effects: TypeAlias = Literal["none", "ask", "never"]
OnEffects: TypeAlias = Literal["refuse", "run", "skip"]
Action: TypeAlias = Literal["execute", "reuse", "leave"]
Why: TypeAlias = Literal[
    "edited",
    "failed",
    "unfinished",
    "downstream",
    "changed",
    "new",
    "drift",
    "all",
    "same",
    "moved",
    "taken",
    "carried",
    "scope",
    "effects",
]


@dataclass(frozen=True, slots=True)
class Verdict:
    """What happens to a step. `row`: the record that stands for it; for `drift`: the one that does not fit."""

    action: Action
    why: Why
    row: StepRecord | None = None


@dataclass(frozen=True, slots=True)
class Rules:
    """What a replay was asked to do. `forced`: paths of edited steps (a declared path means all its items)."""

    scope: Scope
    on_drift: OnDrift
    on_effects: OnEffects
    forced: frozenset[str]

    def is_forced(self, path: str) -> bool:
        """Whether the step at this path was edited."""
        return path in self.forced or static_path(path) in self.forced

    def asks_again(self, path: str) -> bool:
        """Whether not even a kept result may stand for what the step at this path would say."""
        return self.scope == "all" or self.is_forced(path)


@dataclass(frozen=True, slots=True)
class Standing:
    """An inherited edit of one item: another step in its place, or an output written by hand."""

    path: str
    inputs: Mapping[str, bytes]
    step: PlanStep | None
    output: Value | None


class Decider:
    """Decides step by step; remembers which records are spoken for. One per execution.

    `carried`: what an earlier go of this very replay made, by path, before it was cut off. It stands, whatever the
    scope, and what follows it is decided as if it had just been made. `own`: paths of records that are for the steps
    which stand there, and for no other; None: all of them.
    """

    __slots__ = ("_carried", "_claimed", "_own", "_recorded", "_standing", "rules")

    def __init__(
        self,
        recorded: Recorded,
        rules: Rules,
        standing: Sequence[Standing] = (),
        carried: Mapping[str, StepRecord] | None = None,
        own: frozenset[str] | None = frozenset(),
    ) -> None:
        self.rules = rules
        self._carried = carried or {}
        self._own = own
        self._recorded = recorded
        self._claimed: set[str] = set()
        self._standing = list(standing)

    def standing(self, path: str, inputs: Mapping[str, bytes]) -> Standing | None:
        """The inherited edit of the item that stands at `path` now: the one that gets the same as then."""
        static = static_path(path)
        alike = [one for one in self._standing if static_path(one.path) == static and one.inputs == inputs]
        if not alike or self.rules.is_forced(path):
            return None
        chosen = next((one for one in alike if one.path == path), None)
        if chosen is None:
            row = self._recorded.get(path)
            if row is not None and row.inputs == inputs:
                return None  # it stands where it stood: its twin is the one that was edited
            chosen = alike[0]
        self._standing.remove(chosen)
        return chosen

    @property
    def all_standing(self) -> Sequence[Standing]:
        """The inherited edits that wait for their items."""
        return tuple(self._standing)

    @property
    def has_standing(self) -> bool:
        """Whether any inherited edit waits for its item."""
        return bool(self._standing)

    def fell(self, paths: Iterable[str]) -> bool:
        """Whether any of these steps was tried in the record and came to nothing."""
        return any(self._recorded.fell(path) for path in paths)

    def decide(
        self, path: str, key: bytes, inputs: Mapping[str, bytes], *, fresh: bool, effects: Effects = "none"
    ) -> Verdict:
        """What happens to the step at `path`, whose work now has this key. `fresh`: an input was made anew."""
        made = self._carried.get(path)
        if made is not None and made.reuse_key == key:
            return Verdict("reuse", "carried", made)
        verdict = self._decide(path, key, inputs, fresh)
        if verdict.action == "execute" and self._held_back(effects):
            return Verdict("leave", "effects", verdict.row)
        return verdict

    def unseen(self, path: str, effects: Effects = "none", *, fresh: bool) -> Verdict | None:
        """The same for a step whose inputs only running will tell; None: not decided before then."""
        scope = self.rules.scope
        verdict: Verdict | None = None
        if self.rules.is_forced(path):
            verdict = Verdict("execute", "edited")
        elif scope == "all":
            verdict = Verdict("execute", "all")
        elif scope == "descendants" and fresh:
            verdict = Verdict("execute", "downstream")
        if verdict is not None and self._held_back(effects):
            return Verdict("leave", "effects")
        return verdict

    def _held_back(self, effects: Effects) -> bool:
        return effects == "never" or (effects == "ask" and self.rules.on_effects != "run")

    def _decide(self, path: str, key: bytes, inputs: Mapping[str, bytes], fresh: bool) -> Verdict:
        rules = self.rules
        row = self._recorded.get(path)
        if rules.is_forced(path):
            return Verdict("execute", "edited", row)
        if rules.scope == "all":
            return Verdict("execute", "all", row)
        if rules.scope == "descendants" and fresh:
            return Verdict("execute", "downstream", row)
        unusable = row is not None and not usable(row)
        if not (unusable and row is not None and row.reuse_key == key):  # what failed runs again, whoever else did it
            found = self._claim(path, key, others=not (fresh and rules.scope == "step"))
            if found is not None:
                return Verdict("reuse", "same" if found is row else "moved", found)
        if rules.scope == "step" and (fresh or (rules.forced and (row is None or unusable))):
            return Verdict("leave", "scope", row)
        if fresh:
            return Verdict("execute", "changed", row)
        if row is None:
            return Verdict("execute", "new" if self._recorded.whole else "unfinished")
        return self._again(path, key, inputs, row)

    def _again(self, path: str, key: bytes, inputs: Mapping[str, bytes], row: StepRecord) -> Verdict:
        """Nothing new comes to the step, and yet its record does not stand for it."""
        if not usable(row):
            return Verdict("execute", "failed" if row.status == "failed" else "unfinished", row)
        if row.reuse_key == key:  # nobody knew that this step would come: its record stands for its twin
            return Verdict("execute", "taken", row)
        return self._drifted(path, inputs, row)

    def _drifted(self, path: str, inputs: Mapping[str, bytes], row: StepRecord) -> Verdict:
        """Nothing that the user changed, and yet not the same work: the world is another one now."""
        if self.rules.on_drift == "reuse":
            same = row if row.inputs == inputs and row.path not in self._claimed else None
            for other in () if same else self._recorded.with_inputs(path, inputs):
                if other.path not in self._claimed:
                    same = other
                    break
            if same is not None:
                self._claimed.add(same.path)
                return Verdict("reuse", "drift", same)
        return Verdict("execute", "drift", row)

    def _claim(self, path: str, key: bytes, *, others: bool) -> StepRecord | None:
        mine = self._recorded.get(path)
        if mine is not None and mine.reuse_key == key and usable(mine) and path not in self._claimed:
            self._claimed.add(path)
            return mine
        if self._own is None or not others:
            return None
        for row in self._recorded.with_key(key):
            if row.path not in self._claimed and row.path not in self._own:
                self._claimed.add(row.path)
                return row
        return None
