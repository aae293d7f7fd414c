"""What is known of a run when it is compared: rows, hashes and definitions, and no value. Data; reads nothing."""

from __future__ import annotations

from dataclasses import dataclass

from chainlab.spec.chain import ChainSpec, StepSpec
from chainlab.spec.path import static_path
from chainlab.trace import Datum, InputHash, RunSummary, StepHashes, StepSummary


@dataclass(frozen=True, slots=True)
class StepFacts:
    """A step: its row, its hashes, and its definition as it was run (None: the chain cannot be read)."""

    row: StepSummary
    hashes: StepHashes
    definition: StepSpec | None

    @property
    def static(self) -> str:
        """Its place in the declared chain."""
        return static_path(self.row.path)


@dataclass(frozen=True, slots=True)
class RunFacts:
    """A run: its row, chain (None: it cannot be read), inputs, output without its payload, and steps in order."""

    run: RunSummary
    spec: ChainSpec | None
    inputs: tuple[InputHash, ...]
    output: Datum | None
    steps: tuple[StepFacts, ...]
