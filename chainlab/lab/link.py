"""Where a run can be looked at: a running inspector's address, else the command that starts one.

A running inspector leaves `.chainlab/inspector.json` beside the database. Whoever may read that file (mode 0600) may
make a start address; each works once. Standard library and paths only: knows no web framework and no table.
"""

from __future__ import annotations

import hmac
import json
import os
import secrets
import shlex
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from chainlab.config.place import default_db, find_root

STATE_NAME = "inspector.json"


@dataclass(frozen=True, slots=True)
class InspectorState:
    """A running inspector: where it listens, which database it shows, and the secret that its tokens come from."""

    port: int
    pid: int
    database: str
    secret: str

    @property
    def url(self) -> str:
        """The page's address. Always the loopback address, whatever the file says."""
        return f"http://127.0.0.1:{self.port}"


def trace_link(database: Path, run_id: str, step: str | None = None) -> str:
    """What to open or type to see a run: an address of the inspector that runs now, else the command that starts it."""
    return link(state_file(database), run_id, step, database=database) or inspect_command(database, run_id)


def inspect_command(database: Path, run_id: str) -> str:
    """The command that opens a run, from the working directory; it names the database where that is not obvious."""
    place = database.absolute()
    if place == default_db(find_root()).absolute():
        return f"chainlab inspect {run_id}"
    return f"chainlab inspect {run_id} --db {shlex.quote(str(place))}"


def link(path: Path, run_id: str, step: str | None = None, *, database: Path | None = None) -> str | None:
    """A working deep link to a run, or None when no inspector runs (or it shows another database)."""
    state = running(path)
    if state is None or (database is not None and state.database != str(database.absolute())):
        return None
    return start_url(state, run_id, step)


def state_file(database: Path) -> Path:
    """Where an inspector of this database leaves its state."""
    folder = database.absolute().parent
    return (folder if folder.name == ".chainlab" else folder / ".chainlab") / STATE_NAME


def read_state(path: Path) -> InspectorState | None:
    """What an inspector left in this file, whether or not it still runs."""
    try:
        data = json.loads(path.read_text())
        return InspectorState(int(data["port"]), int(data["pid"]), str(data["database"]), str(data["secret"]))
    except (OSError, ValueError, KeyError, TypeError):
        return None


def running(path: Path) -> InspectorState | None:
    """The inspector that left this file, when its process is still alive."""
    state = read_state(path)
    return state if state is not None and _alive(state.pid) else None


def start_url(state: InspectorState, run_id: str | None = None, step: str | None = None) -> str:
    """An address that opens the page once, at a run and step. Browsers keep the part after `#` across the redirect."""
    return f"{state.url}/start?token={mint(state.secret, 'start')}{fragment(run_id, step)}"


def fragment(run_id: str | None, step: str | None = None) -> str:
    """The part of an address that names a run and a step to the page."""
    if run_id is None:
        return ""
    return f"#/runs/{quote(run_id, safe='')}" + ("" if step is None else f"?step={quote(step, safe='')}")


def mint(secret: str, purpose: str) -> str:
    """A fresh token for a purpose: 256 random bits and their signature."""
    nonce = secrets.token_urlsafe(32)
    return f"{nonce}.{sign(secret, purpose, nonce)}"


def sign(secret: str, purpose: str, text: str) -> str:
    """A signature. The purpose is part of the message: a token for one door opens no other."""
    return hmac.new(secret.encode(), f"{purpose}\0{text}".encode(errors="replace"), "sha256").hexdigest()


def _alive(pid: int) -> bool:
    if os.name == "nt":  # os.kill would end the process there; a stale file only costs a dead link
        return True
    try:
        os.kill(pid, 0)
    except PermissionError:
        return True
    except (ProcessLookupError, OverflowError):
        return False
    return pid > 0
