"""Which lab a chain runs in when no block says so: the only open one, else the project's default."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import TYPE_CHECKING

from chainlab.errors import ConfigError

if TYPE_CHECKING:
    from chainlab.lab.lab import Lab

_lock = threading.Lock()
_open: list[Lab] = []
_projects: dict[Path, Lab] = {}


def opened(lab: Lab) -> None:
    """Note an open lab."""
    with _lock:
        _open.append(lab)


def closed(lab: Lab) -> None:
    """Forget a closed lab."""
    with _lock:
        if lab in _open:
            _open.remove(lab)
        for root, known in list(_projects.items()):
            if known is lab:
                del _projects[root]


def default_lab() -> Lab:
    """The only lab that is open, else the project's own, opened now. Raises ConfigError when several are open."""
    from chainlab.config.place import find_root
    from chainlab.lab.lab import Lab

    with _lock:
        chosen = [lab for lab in _open if lab not in _projects.values()]
    if len(chosen) == 1:
        return chosen[0]
    if len(chosen) > 1:
        raise ConfigError(
            f"{len(chosen)} labs are open and none belongs to this context",
            code="which-lab",
            remedy="say which: lab.run_sync(chain, ...), or run inside `with lab:`",
        )
    root = find_root()
    found = _projects.get(root)
    if found is None:
        found = Lab.open()
        with _lock:
            _projects[root] = found
    return found
