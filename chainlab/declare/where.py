"""Whose line it is: the innermost frame outside chainlab, preferring the file of the chain being traced."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

_PACKAGE = str(Path(__file__).resolve().parent.parent)


@dataclass(frozen=True, slots=True)
class Where:
    """A file and a line of the author's."""

    file: str
    line: int


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
