"""What open pages are told without asking. Frozen data, like all that the API answers. Knows no store and no server."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class MovedRun:
    """A run that has changed, itself or in one of its steps. `chain` None: it was deleted."""

    id: str
    chain: str | None


@dataclass(frozen=True, slots=True)
class Moved:
    """What has changed in the store, up to `change`. `batches`: some of them have changed.

    `resync`: more than is told here; what a page shows is to be asked for again.
    """

    change: int
    runs: tuple[MovedRun, ...] = ()
    batches: bool = False
    resync: bool = False


@dataclass(frozen=True, slots=True)
class Written:
    """Text that a model has just written, in the `n`th try of a step. Never stored.

    `at`: how much of the try's text comes before it, counted as a page counts text (in UTF-16 units).
    """

    run: str
    path: str
    n: int
    at: int
    text: str
