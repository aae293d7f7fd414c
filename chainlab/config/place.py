"""Where a project's root is, and where its traces go. Reads no file."""

from __future__ import annotations

import os
from pathlib import Path

from chainlab.config.settings import CONFIG_FILE

_ROOT_MARKS = (CONFIG_FILE, "pyproject.toml", ".git")


def find_root(start: str | os.PathLike[str] | None = None) -> Path:
    """The project's root: from `start` upward the nearest folder with one of the marks, else `start` itself."""
    here = Path(start if start is not None else ".").resolve()
    if here.is_file():
        here = here.parent
    for folder in (here, *here.parents):
        if any((folder / mark).exists() for mark in _ROOT_MARKS):
            return folder
    return here


def default_db(root: Path) -> Path:
    """Where traces go when nothing else is said: $CHAINLAB_DB, else .chainlab/traces.db in the root."""
    named = os.environ.get("CHAINLAB_DB")
    return Path(named).expanduser() if named else root / ".chainlab" / "traces.db"
