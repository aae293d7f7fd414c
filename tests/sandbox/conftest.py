"""A sandbox that ends with its test, and the canary in the environment that its children must not have."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from chainlab.sandbox.sandbox import Sandbox
from tests.attacks import ENVIRONMENT, VARIABLE


@pytest.fixture(autouse=True)
def canary(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, ENVIRONMENT)


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    made = Sandbox()
    yield made
    made.close()
