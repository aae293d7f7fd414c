"""What the journal's tests share."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from chainlab.store import journal
from chainlab.store.store import Store


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store.open(tmp_path / "t.db", project="demo") as opened:
        yield opened


@pytest.fixture(params=["the loop", "the thread"])
def committed_by(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Every test that asks for this runs twice: who commits must make no difference."""
    if request.param == "the thread":
        monkeypatch.setattr(journal.SqliteJournal, "_write_some", _to_the_thread)
    return str(request.param)


def _to_the_thread(self: journal.SqliteJournal) -> bool:
    self._ring()
    return False
