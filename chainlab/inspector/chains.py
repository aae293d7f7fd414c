"""Stored chains, parsed once each. A chain that cannot be parsed is a reason, never a fault: its runs stay readable."""

from __future__ import annotations

from functools import lru_cache

from pydantic import ValidationError

from chainlab.spec.chain import ChainSpec, load
from chainlab.trace import TraceReader

_KEPT = 64


class Chains:
    """The chains of one store. A spec is named by its hash and never changes, so it may be kept."""

    def __init__(self, reader: TraceReader) -> None:
        self._reader = reader
        self._parsed = lru_cache(maxsize=_KEPT)(self._parse)
        self._hashes = lru_cache(maxsize=_KEPT)(self._hash_of)

    def of_run(self, run_id: str) -> ChainSpec | str | None:
        """The chain of a run, or why there is none; None: there is no such run."""
        try:
            return self.get(self._hashes(run_id))
        except LookupError:
            return None

    def get(self, spec_hash: str) -> ChainSpec | str:
        """The chain, or why there is none."""
        try:
            return self._parsed(spec_hash)
        except LookupError:
            return "the run's chain is not in the store"
        except ValidationError as error:
            first = error.errors()[0]
            where = ".".join(map(str, first["loc"]))
            return f"the run's chain cannot be read by this version of chainlab: {where}: {first['msg']}"

    def _hash_of(self, run_id: str) -> str:
        trace = self._reader.trace(run_id, max_bytes=0)
        if trace is None:
            raise LookupError(run_id)
        return trace.run.spec_hash

    def _parse(self, spec_hash: str) -> ChainSpec:
        body = self._reader.spec(spec_hash)
        if body is None:
            raise LookupError(spec_hash)
        return load(body)
