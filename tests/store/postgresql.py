"""A throw-away PostgreSQL on a unix socket, as an unprivileged user: the server refuses root. Knows no schema."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest


def binaries() -> Path:
    """Where initdb and postgres stand. Skips the test when there are none; fails it in CI."""
    places = [Path(found).resolve().parent for found in [shutil.which("postgres")] if found]
    if asked := shutil.which("pg_config"):
        places.append(Path(subprocess.run([asked, "--bindir"], capture_output=True, text=True).stdout.strip()))
    for place in places:
        if (place / "initdb").exists() and (place / "postgres").exists():
            return place
    reason = "no PostgreSQL server binaries (initdb, postgres) on this machine"
    if os.environ.get("CI"):
        pytest.fail(reason)
    pytest.skip(reason)


@contextmanager
def server() -> Iterator[str]:
    """A running server; gives the SQLAlchemy URL of an empty database."""
    place = binaries()
    home = Path(tempfile.mkdtemp(prefix="chainlab-pg-", dir="/tmp"))  # short: a socket path has 107 bytes
    user = _unprivileged(home)
    try:
        data = home / "data"
        subprocess.run(
            [place / "initdb", "-D", data, "-U", "chainlab", "-A", "trust", "--no-sync", "-E", "UTF8", "--locale=C"],
            check=True, stdout=subprocess.DEVNULL, user=user, cwd=home,
        )  # fmt: skip
        ctl: list[str | Path] = [place / "pg_ctl", "-D", data, "-w", "-t", "60"]
        options = f"-k {home} -c listen_addresses='' -c fsync=off"
        subprocess.run(
            [*ctl, "-l", home / "log", "-o", options, "start"],
            check=True, stdout=subprocess.DEVNULL, user=user, cwd=home,
        )  # fmt: skip
        try:
            yield f"postgresql+psycopg://chainlab@/postgres?host={home}"
        finally:
            subprocess.run(
                [*ctl, "-m", "immediate", "stop"], check=True, stdout=subprocess.DEVNULL, user=user, cwd=home
            )
    finally:
        shutil.rmtree(home, ignore_errors=True)


def _unprivileged(home: Path) -> int | None:
    if os.geteuid() != 0:
        return None
    for name in ("postgres", "nobody"):
        try:
            uid = pwd.getpwnam(name).pw_uid
        except KeyError:
            continue
        os.chown(home, uid, -1)
        return uid
    pytest.fail("PostgreSQL refuses root, and this machine has neither a user postgres nor nobody")
