"""What `chainlab doctor` looks at: one function a subject, each giving lines that say how it is and what helps.

Loads no model and makes no call; only `servers` asks, and only when it is asked to.
"""

from __future__ import annotations

import os
import platform
import shutil
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeAlias

from chainlab.backends import embedded, health, weights
from chainlab.backends.registry import ModelInfo, ModelRegistry
from chainlab.cli.output import plural, size
from chainlab.config.settings import BUILT_IN_BACKENDS, Config
from chainlab.errors import ConfigError, StoreError

Status: TypeAlias = Literal["ok", "warning", "problem"]

WRITE_SECONDS = 1.0
LITTLE_SPACE, NO_SPACE = 1_000_000_000, 100_000_000  # bytes


@dataclass(frozen=True, slots=True)
class Check:
    """One line: what was looked at, how it is, and the command or change that helps where it is not well."""

    name: str
    status: Status
    says: str
    fix: str = ""


def versions() -> Iterator[Check]:
    """Python, chainlab and SQLite."""
    from chainlab.store.health import known_trouble
    from chainlab.store.process import version

    yield Check("python", "ok", f"{platform.python_version()} on {platform.system()} ({platform.machine()})")
    yield Check("chainlab", "ok", version())
    trouble = known_trouble(sqlite3.sqlite_version_info)
    if trouble is None:
        yield Check("sqlite", "ok", sqlite3.sqlite_version)
    else:
        fix = "use a Python that is built with SQLite 3.51.3 or newer"
        yield Check("sqlite", "warning", f"{sqlite3.sqlite_version}: {trouble}", fix)


def settings(config: Config) -> Iterator[Check]:
    """Where the settings come from, and every model name resolved as a run would."""
    own = [name for name in config.backends if config.backends[name] is not BUILT_IN_BACKENDS.get(name)]
    if config.file is None:
        yield Check("settings", "ok", f"no chainlab.toml in {config.root}: the built-in settings")
    else:
        held = f"{plural(len(config.models), 'model')}, {plural(len(own), 'backend')}"
        yield Check("settings", "ok", f"{config.file}: {held}")
    registry = ModelRegistry(config)
    known = {info.name: info for info in registry.describe()}
    yield _model("default model", None, known["(default)"], registry)
    for name in config.models:
        yield _model(f"model {name}", name, known[name], registry)


def _model(title: str, name: str | None, info: ModelInfo, registry: ModelRegistry) -> Check:
    try:
        registry.resolve(name)
    except ConfigError as error:
        return Check(title, "problem", error.message, error.remedy)
    if info.ready:
        return Check(title, "ok", info.target)
    if info.kind == "embedded" and info.note != weights.PULL:
        return Check(title, "problem", f"{info.target}: it cannot be loaded", info.note)
    return Check(title, "warning", f"{info.target}: not ready", info.note)


def built_in(config: Config) -> Iterator[Check]:
    """The built-in model: its engine, its file, and whether the file is what it should be. Loads nothing."""
    name = embedded.DEFAULT_MODEL
    where, ready, note = embedded.state(name, config.root)
    if not where:
        yield Check("built-in model", "warning", "its engine is not installed", note)
    elif not ready:
        known = weights.BUILT_IN[name]
        yield Check("built-in model", "warning", f"not fetched yet ({size(known.wheel_size)}): a run does it", note)
    else:
        yield _content(Path(where), weights.BUILT_IN[name].sha256)


def _content(file: Path, sha256: str) -> Check:
    try:
        right = weights.digest(file) == sha256
    except OSError as error:
        return Check("built-in model", "problem", f"{file} cannot be read: {error.strerror}", f"chmod u+r {file}")
    if right:
        return Check("built-in model", "ok", str(file))
    return Check("built-in model", "problem", f"the file is damaged: {file}", weights.PULL)


def keys(config: Config) -> Iterator[Check]:
    """Whether the key variable of every server is set. Never its value."""
    for backend in health.servers(config):
        variable = backend.api_key_env
        title, where = f"backend {backend.name}", backend.address
        if variable is None:
            yield Check(title, "ok", f"{where}, without a key")
        elif os.environ.get(variable):
            yield Check(title, "ok", f"{where}, {variable} is set")
        elif health.used(backend, config):
            yield Check(title, "warning", f"{where}, {variable} is not set", f"export {variable}=...")
        else:
            yield Check(title, "ok", f"{where}, {variable} is not set; nothing here uses it")


async def servers(config: Config) -> list[Check]:
    """Ask every server that this project uses, or has a key for, which models it has."""
    return [
        check for one in await health.ask_all(health.worth_asking(config), config.root) for check in _say(one, config)
    ]


def _say(one: health.Health, config: Config) -> list[Check]:
    title = f"server {one.backend}"
    if one.why_not:
        return [Check(title, "problem", one.why_not, one.remedy)]
    checks = [Check(title, "ok", f"answers: {plural(len(one.models), 'model')}")]
    found = {model.name: model for model in one.models}
    for name, alias in config.models.items():
        if alias.ref.name != one.backend:
            continue
        for wanted in (alias.ref.model, None if alias.autoload else alias.ref.adapter):
            if wanted is not None and wanted not in found:
                says = f"{one.backend} does not list {wanted!r}"
                checks.append(Check(f"model {name}", "warning", says, f"it lists {', '.join(list(found)[:5])}"))
    return checks


def database(path: Path) -> Iterator[Check]:
    """The trace database: its place, version, soundness, log, permissions, and whether it can be written."""
    from chainlab.store import health as file_health
    from chainlab.store.connection import check_path
    from chainlab.store.migrate import version_of
    from chainlab.store.migrations import VERSION

    if not path.exists():
        folder = _existing(path)
        if os.access(folder, os.W_OK):
            yield Check("database", "ok", f"none yet: the first run makes {path}")
        else:
            fix = "allow this user to write there, or set CHAINLAB_DB"
            yield Check("database", "problem", f"{folder} cannot be written", fix)
        return
    try:
        check_path(path)
        version = version_of(path)
        said = f"{path}, {size(path.stat().st_size)}, version {version}"
        if version < VERSION:
            fix = "chainlab runs"
            yield Check("database", "warning", f"{said} of {VERSION}: what opens it next brings it up to date", fix)
        else:
            yield Check("database", "ok", said)
        yield _soundness(file_health.damage(path))
    except StoreError as error:
        yield Check("database", "problem", f"{error.message}: {path}", error.remedy)
        return
    yield _log(file_health.log_size(path))
    if os.name != "nt":
        yield _permissions(path)
    if version:
        yield _writing(file_health.cannot_write(path, WRITE_SECONDS))


def _soundness(damage: tuple[str, ...]) -> Check:
    if not damage:
        return Check("integrity", "ok", "the quick check finds nothing")
    fix = "move the file away with its -wal and -shm; `sqlite3 FILE .recover` saves what can be read"
    return Check("integrity", "problem", "; ".join(damage[:3]), fix)


def _log(bytes_: int) -> Check:
    from chainlab.store.health import LARGE_LOG

    if bytes_ <= LARGE_LOG:
        return Check("write-ahead log", "ok", size(bytes_))
    fix = "end the programs that have been reading the database for long; the next run cuts it"
    return Check("write-ahead log", "warning", size(bytes_), fix)


def _permissions(path: Path) -> Check:
    mode = path.stat().st_mode & 0o777
    if mode & 0o077:
        return Check("permissions", "warning", f"{mode:04o}: others on this machine may read it", f"chmod 600 {path}")
    return Check("permissions", "ok", f"{mode:04o}")


def _writing(why: StoreError | None) -> Check:
    if why is None:
        return Check("writable", "ok", "yes")
    if why.code == "store-busy":
        return Check("writable", "warning", "another process is writing just now", "look again in a moment")
    return Check("writable", "problem", why.message, why.remedy)


def inspector(path: Path) -> Iterator[Check]:
    """Whether an inspector of this database runs, and whether its page is there."""
    from chainlab.inspector.assets import STATIC
    from chainlab.lab.link import running, state_file

    state = running(state_file(path))
    here = state is not None and state.database == str(path.absolute())
    yield Check("inspector", "ok", f"runs at {state.url}" if state is not None and here else "does not run")
    if (STATIC / "index.html").is_file():
        yield Check("page", "ok", "built")
    else:
        yield Check("page", "warning", "the inspector's page is not built", "pip install -e . in chainlab's source")


def disk(path: Path) -> Iterator[Check]:
    """The space where the database is."""
    free = shutil.disk_usage(_existing(path)).free
    status: Status = "problem" if free < NO_SPACE else "warning" if free < LITTLE_SPACE else "ok"
    yield Check("disk", status, f"{size(free)} free", "" if status == "ok" else "free space, or chainlab rm old runs")


def _existing(path: Path) -> Path:
    return next(folder for folder in path.absolute().parents if folder.is_dir())
