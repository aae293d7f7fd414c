"""The command line in processes forked from one that has imported it: as separate as new ones, without the imports.

What is tested about starting itself (signals, terminals, what is imported when) starts new processes instead.
"""

from __future__ import annotations

import atexit
import os
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from pkgutil import walk_packages

import chainlab as package

_COMMAND = "chainlab.cli.main"
_context = get_context("forkserver")
_context.set_forkserver_preload(
    [module.name for module in walk_packages(package.__path__, "chainlab.") if ".migrations." not in module.name]
)


@dataclass(frozen=True)
class Said:
    """What a command said and how it ended."""

    code: int
    out: str
    err: str


def chainlab(
    arguments: Sequence[str], *, folder: Path, environment: Mapping[str, str], stdin: str = "", seconds: float = 110
) -> Said:
    """Run a command in a folder to its end. Raises TimeoutError after so many seconds."""
    with tempfile.TemporaryDirectory() as kept:
        files = [Path(kept, name) for name in ("in", "out", "err")]
        for file in files:
            file.write_text(stdin if file.name == "in" else "", encoding="utf-8")
        child = _context.Process(target=_child, args=(list(arguments), folder, dict(environment), files))
        child.start()
        child.join(seconds)
        if child.exitcode is None:
            child.kill()
            child.join()
            raise TimeoutError(f"chainlab {' '.join(arguments)}: not ended after {seconds} s")
        out, err = (file.read_text(encoding="utf-8") for file in files[1:])
        return Said(child.exitcode, out, err)


def clean_environment() -> dict[str, str]:
    """The tester's environment without settings of chainlab; the model's weights stay where they are."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("CHAINLAB_")}
    return kept | {name: os.environ[name] for name in ("CHAINLAB_CACHE",) if name in os.environ}


def _child(arguments: list[str], folder: Path, environment: dict[str, str], files: list[Path]) -> None:
    """In the new process: be what `python -P -m chainlab.cli.main` would be."""
    for number, file in enumerate(files):
        os.dup2(os.open(file, os.O_RDONLY if number == 0 else os.O_WRONLY), number)
    sys.stdin = open(0, encoding="utf-8", closefd=False)
    sys.stdout = open(1, "w", encoding="utf-8", closefd=False)
    sys.stderr = open(2, "w", encoding="utf-8", errors="backslashreplace", closefd=False)
    os.environ.clear()
    os.environ.update(environment)
    os.chdir(folder)
    sys.argv = [_COMMAND, *arguments]
    from chainlab.cli.main import main

    try:
        main()
    finally:
        atexit._run_exitfuncs()  # a forked process ends without them
