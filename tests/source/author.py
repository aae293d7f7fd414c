"""An author's project for the tests: files written, declared, patched, declared again; diffs applied by hand."""

from __future__ import annotations

import itertools
import re
import shutil
import subprocess
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

from chainlab.source.make import make_patch
from chainlab.source.patch import Patch
from chainlab.spec.chain import ChainSpec, MessageSpec, SourceRef

HEAD = "from chainlab import assistant, chain, each, fill, prompt, step, system, user\n"
_number = itertools.count()


def declare(file: Path) -> ModuleType:
    """A file's module, declared as it is now."""
    module = ModuleType(f"author_{next(_number)}")
    module.__file__ = str(file)
    sys.modules[module.__name__] = module
    exec(compile(file.read_bytes(), str(file), "exec"), module.__dict__)
    return module


def project(root: Path, body: str | bytes, name: str = "chains.py") -> ModuleType:
    """A file below `root`, written byte for byte and declared."""
    file = root / name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(body if isinstance(body, bytes) else (HEAD + body).encode())
    return declare(file)


def spec_of(module: ModuleType, name: str = "say") -> ChainSpec:
    """The spec of a prompt or chain of a module."""
    spec: ChainSpec = getattr(module, name).program().spec
    return spec


def message(module: ModuleType, name: str = "say", index: int = 0) -> MessageSpec:
    """A message of a prompt."""
    step: Any = spec_of(module, name).steps[0]
    found: MessageSpec = step.messages[index]
    return found


def patch_of(module: ModuleType, new: str, root: Path, name: str = "say", index: int = 0) -> Patch:
    """The patch that gives a message of a prompt a new template."""
    found = message(module, name, index)
    assert found.source is not None
    return make_patch(found.source, found.template, new, root)


def source_of(module: ModuleType, name: str = "say", index: int = 0) -> SourceRef:
    """The recorded place of a message."""
    found = message(module, name, index).source
    assert found is not None
    return found


def apply_diff(diff: str, old: str) -> str:
    """A unified diff applied as strictly as can be: every line it names must be there."""
    before, out, at = re.findall(r"[^\n]*\n|[^\n]+", old), list[str](), 0
    assert re.match(r"--- a/[^\n]+\n\+\+\+ b/[^\n]+\n", diff)
    for sign, text in _signed(diff):
        if sign == "@":
            start, _, count = text.split(" ")[1].lstrip("-").partition(",")
            first = int(start) if count == "0" else int(start) - 1
            out += before[at:first]
            at = first
        elif sign == "+":
            out.append(text)
        else:
            assert before[at] == text
            at += 1
            out += [text] if sign == " " else []
    return "".join(out + before[at:])


def _signed(diff: str) -> list[tuple[str, str]]:
    # The lines of a diff with their signs, as they stand in the file.
    found: list[tuple[str, str]] = []
    for line in re.findall(r"[^\n]*\n", diff)[2:]:
        if line.startswith("\\"):
            found[-1] = (found[-1][0], found[-1][1].removesuffix("\n"))
        else:
            found.append(("@", line) if line.startswith("@@") else (line[0], line[1:]))
    return found


def check_diff(patch: Patch, folder: Path) -> None:
    """The diff gives the patched file: applied here, and by `git apply` and `patch` where this machine has them."""
    assert apply_diff(patch.diff, patch.old.decode(patch.encoding)) == patch.new.decode(patch.encoding)
    tools = {"git": ["git", "apply", "-p1", "-"], "patch": ["patch", "-p1", "--binary", "-s"]}
    for tool in filter(shutil.which, tools):
        place = folder / f"with_{tool}"
        file = place / patch.file
        file.parent.mkdir(parents=True)
        file.write_bytes(patch.old)
        subprocess.run(tools[tool], cwd=place, input=patch.diff.encode(patch.encoding), check=True, capture_output=True)
        assert file.read_bytes() == patch.new, tool
