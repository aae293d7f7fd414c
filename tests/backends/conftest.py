"""The built-in model, loaded once for all tests of this folder."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest

from chainlab.backends.embedded import DEFAULT_MODEL, EmbeddedBackend
from chainlab.protocols import ResolvedModel


@pytest.fixture(scope="session")
def embedded() -> Iterator[EmbeddedBackend]:
    backend = EmbeddedBackend()
    asyncio.run(backend.prepare(ResolvedModel(None, backend, DEFAULT_MODEL), lambda progress: None))
    yield backend
    asyncio.run(backend.aclose())
