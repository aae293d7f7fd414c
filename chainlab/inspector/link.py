"""The word that a running inspector leaves for others: written when it starts, removed when it ends.

How it is read, and what addresses come of it, stands in `chainlab.lab.link`, for whoever prints a link knows no web
framework. Standard library only.
"""

from __future__ import annotations

import contextlib
import json
import os
from dataclasses import asdict
from pathlib import Path

from chainlab.lab.link import InspectorState, link, read_state, running, start_url, state_file

__all__ = ["InspectorState", "link", "remove_state", "running", "start_url", "state_file", "write_state"]


def write_state(path: Path, state: InspectorState) -> None:
    """Write the state so that only its owner can read it and nobody reads half of it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_name(f"{path.name}.{state.pid}")
    with contextlib.suppress(FileNotFoundError):
        fresh.unlink()
    handle = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "w") as file:
        json.dump({"url": state.url} | asdict(state), file)
    fresh.replace(path)


def remove_state(path: Path, pid: int) -> None:
    """Remove the state, unless another inspector has written its own since."""
    state = read_state(path)
    if state is not None and state.pid == pid:
        path.unlink(missing_ok=True)
