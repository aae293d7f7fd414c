"""Whose line it is: the innermost frame outside chainlab, preferring the file of the chain being traced."""

from __future__ import annotations

import os
import sys
from functools import lru_cache
from pathlib import Path
from types import FrameType
from typing import NamedTuple

_LONGEST = 100  # characters of a line in a message
_PACKAGE = str(Path(__file__).resolve().parent.parent)


class Where(NamedTuple):
    """A file and a line of the author's."""

    file: str
    line: int

    @property
    def text(self) -> str | None:
        """What stands there; None where there is no source."""
        import linecache

        text = linecache.getline(self.file, self.line).strip()
        return (text if len(text) <= _LONGEST else f"{text[: _LONGEST - 3]}...") or None


@lru_cache(maxsize=4096)
def is_authors(file: str) -> bool:
    """Whether a file is the author's own: not chainlab's, not Python's, not an installed package's."""
    return not file.startswith((_PACKAGE, "<frozen ")) and not any(map(file.startswith, _installed()))


@lru_cache(maxsize=1)
def _installed() -> tuple[str, ...]:
    import sysconfig

    return tuple({sysconfig.get_path(name) + os.sep for name in ("stdlib", "platstdlib", "purelib", "platlib")})


def caller(prefer: str | None = None) -> Where | None:
    """The author's line that led here. With `prefer`, the innermost frame in that file, if there is one.

    A library between the author and chainlab (`json.dumps(ref)`) is passed over when the chain's file is known.
    """
    frame: FrameType | None = sys._getframe(1)
    first: Where | None = None
    while frame is not None:
        file = frame.f_code.co_filename
        if not file.startswith(_PACKAGE):
            here = Where(file, frame.f_lineno)
            if prefer is None or file == prefer:
                return here
            first = first or here
        frame = frame.f_back
    return first
