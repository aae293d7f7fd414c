"""What engine tests share: a real lab on a real database in a temporary folder."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from chainlab import Lab, Request, ScriptedBackend

type_reply = Callable[[Request], Any]


@pytest.fixture
def open_lab(tmp_path: Path) -> Iterator[Callable[[type_reply], Lab]]:
    """Opens a lab whose every model is the given reply function."""
    labs: list[Lab] = []

    def make(reply: type_reply) -> Lab:
        lab = Lab.open(tmp_path / f"traces{len(labs)}.db", default_model=ScriptedBackend(reply))
        labs.append(lab)
        return lab

    yield make
    for lab in labs:
        lab.close()
