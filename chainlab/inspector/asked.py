"""What a page may ask for: the bodies of all changes. Ids, template text, names and values; no path, code or URL.

`tests/inspector/test_security.py` has the list of all fields; a new one is a decision to be made there.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from chainlab.spec.edit import Edit
from chainlab.trace import BatchKind

Id = Annotated[str, Field(pattern=r"^[0-9A-Za-z_-]{1,64}$")]
Key = Annotated[str, Field(pattern=r"^[0-9A-Za-z_-]{16,64}$")]

MOST_EDITS = 50
MOST_RUNS = 500


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Asked(_Body):
    """A replay as the page asks for it."""

    edits: tuple[Edit, ...] = Field(default=(), max_length=MOST_EDITS)
    scope: Literal["step", "descendants", "changed", "all"] = "descendants"
    on_drift: Literal["refuse", "reuse", "rerun"] = "refuse"
    on_effects: Literal["refuse", "run", "skip"] = "refuse"


class AskedPreview(Asked):
    """The same, and the step whose prompt is wanted."""

    step: str | None = Field(default=None, max_length=1000)


class AskedReplay(Asked):
    """The same, to be carried out: once for every key."""

    idempotency_key: Key


class AskedKeep(_Body):
    """A fork to be accepted; `apply`: its patches are to be written into the author's files."""

    apply: bool = False
    idempotency_key: Key


class AskedBatch(_Body):
    """A backtest (the runs named, or the last ones of a chain), or a noise control of one run with `k` of each kind.

    `scope` None: what follows the edited steps, too; in a noise control only they.
    """

    kind: BatchKind = "backtest"
    edits: tuple[Edit, ...] = Field(min_length=1, max_length=MOST_EDITS)
    runs: tuple[Id, ...] | None = Field(default=None, min_length=1, max_length=MOST_RUNS)
    chain: str | None = Field(default=None, max_length=200)
    last: int = Field(default=20, ge=1, le=MOST_RUNS)
    status: Literal["ok", "failed", "cancelled", "interrupted"] | None = None
    tag: str | None = Field(default=None, max_length=200)
    scope: Literal["step", "descendants", "changed", "all"] | None = None
    on_drift: Literal["refuse", "reuse", "rerun"] = "refuse"
    on_effects: Literal["refuse", "run", "skip"] = "refuse"
    k: int = Field(default=8, ge=2, le=100)


class AskedBatchToRun(AskedBatch):
    """The same, to be carried out: once for every key."""

    idempotency_key: Key


class AskedResume(_Body):
    """A batch to be gone on with."""

    idempotency_key: Key
