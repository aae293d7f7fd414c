"""The steps of a recorded run, to be found by path, by reuse key and by inputs. Knows nothing of what runs now."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping

from chainlab.spec.path import static_path
from chainlab.trace import StepRecord

_USABLE = frozenset({"ok", "reused", "cached"})
_FALLEN = frozenset({"running", "failed", "cancelled", "interrupted"})
_LEAVES = frozenset({"prompt", "code"})


def usable(row: StepRecord) -> bool:
    """Whether the step came to an output that can stand for a run of it."""
    return row.status in _USABLE and row.output_hash is not None


class Recorded:
    """Rows of one run. Only prompts and Python steps are reused; what holds them costs nothing and is worked anew."""

    __slots__ = ("_by_inputs", "_by_key", "_rows", "whole")

    def __init__(self, rows: Iterable[StepRecord], *, whole: bool) -> None:
        self.whole = whole
        """Whether the run went to its end, so that a step without a row was never part of it."""
        self._rows = {row.path: row for row in rows}
        self._by_key: dict[bytes, list[StepRecord]] = defaultdict(list)
        self._by_inputs: dict[tuple[str, frozenset[tuple[str, bytes]]], list[StepRecord]] = defaultdict(list)
        for row in self._rows.values():
            if row.kind in _LEAVES and row.reuse_key is not None and usable(row):
                self._by_key[row.reuse_key].append(row)
                self._by_inputs[static_path(row.path), frozenset(row.inputs.items())].append(row)

    def get(self, path: str) -> StepRecord | None:
        """The row of a path."""
        return self._rows.get(path)

    def fell(self, path: str) -> bool:
        """Whether the step was tried and came to nothing; what was never tried did not fall."""
        row = self._rows.get(path)
        return row is not None and row.status in _FALLEN

    def with_key(self, key: bytes) -> Iterable[StepRecord]:
        """Usable rows of the same work, in the order of the run."""
        return self._by_key.get(key, ())

    def with_inputs(self, path: str, inputs: Mapping[str, bytes]) -> Iterable[StepRecord]:
        """Usable rows of the same declared step that got the same."""
        return self._by_inputs.get((static_path(path), frozenset(inputs.items())), ())

    def paths(self) -> Iterable[str]:
        """Every recorded path."""
        return self._rows.keys()
