"""What the journal's tests share."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from chainlab.store.store import Store


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store.open(tmp_path / "t.db", project="demo") as opened:
        yield opened
