"""What a replay will do, as data: step by step, what drifted, what to know. Made by `plan_replay`, shown to people."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from chainlab.events import StepKind
from chainlab.plan import Plan, PlanStep
from chainlab.replay.decide import Decider, Rules, Standing, Why
from chainlab.replay.recorded import Recorded
from chainlab.spec.chain import ChainSpec
from chainlab.trace import StepRecord
from chainlab.values.codec import Json, Value

PlannedAction: TypeAlias = Literal["execute", "reuse", "decide", "leave", "given"]
DriftKind: TypeAlias = Literal["definition", "code", "model", "adapter", "schema", "renderer", "missing"]


@dataclass(frozen=True, slots=True)
class CodeAtHand:
    """The function behind a Python step in this process: its source hash, or why there is none."""

    hash: str | None
    why_not: str | None = None


@dataclass(frozen=True, slots=True)
class ModelAtHand:
    """What answers a prompt here: the written name, backend and adapter; `identity` decides the answer.

    `pinned`: the identity covers the weights. A hosted model's does not: nobody can tell whether it changed.
    """

    identity: bytes
    model: str
    backend: str
    adapter: str | None = None
    pinned: bool = True


@dataclass(frozen=True, slots=True)
class World:
    """What this process has to replay with, by path: declared steps, and replaced ones under their own path.

    `unchecked`: prompts whose type has validators in Python that are not loaded here, with where they are.
    """

    models: Mapping[str, ModelAtHand]
    code: Mapping[str, CodeAtHand]
    unchecked: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Drift:
    """A step that is not what was recorded, without having been edited. `blocks`: the replay stops for it."""

    path: str
    kinds: tuple[DriftKind, ...]
    note: str
    blocks: bool


@dataclass(frozen=True, slots=True)
class PlannedStep:
    """One prompt or Python step. `sure` is False where only running will tell whether, or how often, it runs."""

    path: str
    kind: StepKind
    action: PlannedAction
    why: Why | Literal["by-hand", "depends"]
    origin: tuple[str, str] | None = None
    sure: bool = True


@dataclass(frozen=True, slots=True)
class ReplayPlan:
    """A replay, thought through before anything runs.

    `calls` counts the prompts that will be sent, retries not counted; `calls_at_most` those that may be. `own`: the
    steps that surely keep their own record. `known`: what the prompts that will run get, by path, where that is known
    before.
    """

    run_id: str
    plan: Plan
    inputs: Mapping[str, Json]
    rules: Rules
    steps: tuple[PlannedStep, ...]
    drift: tuple[Drift, ...]
    unverifiable: tuple[str, ...]
    notes: tuple[str, ...]
    recorded: Recorded
    replaced: Mapping[str, PlanStep]
    outputs: Mapping[str, Value]
    standing: tuple[Standing, ...]
    own: frozenset[str]
    known: Mapping[str, Mapping[str, Value]]
    fresh_inputs: frozenset[str]

    @property
    def spec(self) -> ChainSpec:
        """The chain that runs."""
        return self.plan.spec

    @property
    def calls(self) -> int:
        """Prompts that will be sent for sure."""
        return sum(s.kind == "prompt" and s.action == "execute" and s.sure for s in self.steps)

    @property
    def calls_at_most(self) -> int:
        """Prompts that may be sent, as far as the record tells."""
        return sum(s.kind == "prompt" and s.action in ("execute", "decide") for s in self.steps)

    def decider(self, carried: Mapping[str, StepRecord] | None = None) -> Decider:
        """A fresh one, for one execution. `carried`: what an earlier go of this replay made, by path."""
        return Decider(self.recorded, self.rules, self.standing, carried, self.own)
