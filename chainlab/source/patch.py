"""A patch of one file: what it changes, as bytes and as a unified diff; several patches of a file as one.

Data only: reads and writes nothing.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

from chainlab.errors import PatchError
from chainlab.values.codec import hash_bytes


@dataclass(frozen=True, slots=True)
class Splice:
    """New bytes in the place of `old[start:end]`."""

    start: int
    end: int
    new: bytes


@dataclass(frozen=True, slots=True)
class Patch:
    """A change of one file: `path` on this machine, `file` as people and the diff name it (below `root`, with `/`).

    `line` is where the text stands now, `old` the whole file as it was read, `notes` what a person should know.
    """

    root: Path
    path: Path
    file: str
    line: int
    encoding: str
    old: bytes
    splices: tuple[Splice, ...]
    notes: tuple[str, ...] = ()

    @property
    def new(self) -> bytes:
        """The whole file after the patch."""
        body = self.old
        for splice in sorted(self.splices, key=lambda splice: splice.start, reverse=True):
            body = body[: splice.start] + splice.new + body[splice.end :]
        return body

    @property
    def old_hash(self) -> str:
        """The hash of the file that the patch is for; it is applied to no other."""
        return hash_bytes(self.old).hex()

    @property
    def diff(self) -> str:
        """The patch as a unified diff that `git apply` and `patch -p1` take (in the file's encoding)."""
        tail = "\t" if " " in self.file else ""  # as git writes it: a name ends there, not at its first space
        old, new = (lines_of(body.decode(self.encoding)) for body in (self.old, self.new))
        lines = difflib.unified_diff(old, new, f"a/{self.file}{tail}", f"b/{self.file}{tail}")
        return "".join(line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n" for line in lines)


def merge_patches(patches: Iterable[Patch]) -> tuple[Patch, ...]:
    """One patch for each file. Raises PatchError `patch-conflict`: one place, two texts; or two states of one file."""
    merged: dict[Path, Patch] = {}
    for patch in patches:
        known = merged.get(patch.path)
        if known is None:
            merged[patch.path] = patch
            continue
        splices = tuple(dict.fromkeys([*known.splices, *patch.splices]))
        places = {(splice.start, splice.end) for splice in splices}
        if known.old != patch.old or len(places) < len(splices):
            raise PatchError(
                "two patches do not fit together: they give one text two forms, or the file changed between them",
                code="patch-conflict",
                file=patch.file,
                line=patch.line,
                remedy="keep one of them, then make the other again",
            )
        notes = tuple(dict.fromkeys([*known.notes, *patch.notes]))
        merged[patch.path] = replace(known, line=min(known.line, patch.line), splices=splices, notes=notes)
    return tuple(merged.values())


def lines_of(text: str) -> list[str]:
    """The lines of a text with their ends; only `\n` ends one."""
    return re.findall(r"[^\n]*\n|[^\n]+", text)
