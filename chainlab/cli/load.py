"""A user's file as a module, and the chain that an argument names in it. Runs the file; knows no run and no store."""

from __future__ import annotations

import importlib.util
import os
import re
import sys
import traceback
from pathlib import Path
from types import ModuleType
from typing import Any, Literal, TypeAlias

from chainlab.declare.chain import Chain
from chainlab.declare.prompt import Prompt
from chainlab.declare.runnable import Runnable
from chainlab.errors import ChainError, ChainlabError
from chainlab.values.near import did_you_mean

_OURS = str(Path(__file__).parents[1]) + os.sep

Kind: TypeAlias = Literal["chain", "prompt", "step"]


class FileFailed(ChainlabError):
    """A user's file raised an error of its own. The text is its traceback, without the frames of who loaded it."""


def split_target(text: str) -> tuple[Path, str | None]:
    """`FILE.py:CHAIN` in its parts. Only a name after a colon is a chain, so that drive letters stay in paths."""
    file, colon, name = text.rpartition(":")
    if colon and re.fullmatch(r"\w+", name) and not Path(text).exists():
        return Path(file), name
    return Path(text), None


def load_file(file: Path) -> ModuleType:
    """Run a file as the module of its name, its folder first on the path, as `python FILE` would.

    Raises ChainError for a wrong chain, FileFailed for an error of the file's own.
    """
    path = file.expanduser().absolute()
    if path.suffix != ".py" or not path.is_file():
        raise ChainError(
            f"there is no file {str(file)!r}" if path.suffix == ".py" else f"{str(file)!r} is no Python file",
            code="no-file",
            remedy=_near_files(path) or "name a file that declares chains: chainlab run FILE.py:CHAIN name=value",
        )
    name = path.stem  # a step's code is found again by this name, so it must not depend on who loads it
    known = sys.modules.get(name)
    if known is not None and getattr(known, "__file__", None) != str(path):
        raise ChainError(
            f"{path.name} has the name of a module that is loaded already",
            code="module-name",
            file=str(path),
            expected=f"a name that no other module has; {name!r} is {getattr(known, '__file__', None) or 'built in'}",
            remedy="rename the file",
        )
    if known is not None:
        return known
    if str(path.parent) not in sys.path:
        sys.path.insert(0, str(path.parent))
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None and spec.loader is not None  # a file that ends in .py always has a loader
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except ChainlabError:
        del sys.modules[name]
        raise
    except (Exception, SystemExit) as error:
        del sys.modules[name]
        if os.environ.get("CHAINLAB_TRACEBACK") == "full":
            raise
        raise FileFailed(_own_traceback(error, path)) from None
    return module


def declared(module: ModuleType) -> list[tuple[str, Runnable[Any, Any]]]:
    """Everything that the file itself declares and that can be run: variable name and object, in file order."""
    found: list[tuple[str, Runnable[Any, Any]]] = []
    for name, value in vars(module).items():
        own = isinstance(value, Runnable) and getattr(value, "__module__", None) == module.__name__
        if own and not any(value is other for _, other in found):
            found.append((name, value))
    return found


def kind_of(what: Runnable[Any, Any]) -> Kind:
    """What a runnable thing is called."""
    return "chain" if isinstance(what, Chain) else "prompt" if isinstance(what, Prompt) else "step"


def choose(module: ModuleType, name: str | None, file: Path) -> Runnable[Any, Any]:
    """The chain (or prompt, or step) of that name; without one, the file's only chain. Raises ChainError."""
    found = declared(module)
    chains = [(known, what) for known, what in found if isinstance(what, Chain)]
    if name is None:
        if len(chains) == 1:
            return chains[0][1]
        listed = ", ".join(known for known, _ in chains or found) or "nothing"
        raise ChainError(
            f"{file.name} declares {len(chains)} chains: say which" if chains else f"{file.name} declares no chain",
            code="which-chain",
            expected=f"{file}:NAME",
            got=f"a file that declares {listed}",
            remedy=f"chainlab run {file}:{(chains or found)[0][0]}" if found else "declare one with @chain",
        )
    direct = vars(module).get(name)
    if isinstance(direct, Runnable):
        return direct
    by_name = [what for _, what in found if what.name == name]
    if by_name:
        return by_name[0]
    listed = ", ".join(f"{known} ({kind_of(what)})" for known, what in found)
    names = [known for known, _ in found]
    raise ChainError(
        f"{file.name} declares no chain, prompt or step {name!r}",
        code="unknown-chain",
        expected=f"one of: {listed}" if found else "a @chain, @prompt or @step in the file",
        got=repr(direct) if direct is not None else None,
        remedy=(did_you_mean(name, names) or "name one of them").strip(),
    )


def _near_files(path: Path) -> str:
    names = [other.name for other in path.parent.glob("*.py")] if path.parent.is_dir() else []
    return did_you_mean(path.name, names).strip()


def _own_traceback(error: BaseException, path: Path) -> str:
    """The traceback from the user's file on, without chainlab's own frames; for a syntax error, its place."""
    if isinstance(error, SystemExit):
        return f"{path} ends the process when it is loaded (exit {error.code}) [file-exits]\n" + (
            '  fix       put what runs under `if __name__ == "__main__":`'
        )
    frames = traceback.extract_tb(error.__traceback__)
    first = next((i for i, frame in enumerate(frames) if frame.filename == str(path)), len(frames))
    theirs = [frame for frame in frames[first:] if not frame.filename.startswith(_OURS)]
    shown = "".join(traceback.format_list(theirs)) + "".join(traceback.format_exception_only(error))
    return f"{path} cannot be loaded [file-failed]\n{shown.rstrip()}"
