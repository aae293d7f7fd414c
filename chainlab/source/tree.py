"""An author's file as a syntax tree. Knows nothing of prompts."""

from __future__ import annotations

import ast
import linecache
import warnings
from functools import lru_cache


def parse(text: str) -> ast.Module:
    """The tree of a source text. Raises SyntaxError or ValueError (a NUL)."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # an author's "\d" was told of when the file was imported
        return ast.parse(text)


@lru_cache(maxsize=64)
def _parsed(text: str) -> ast.Module | None:
    try:
        return parse(text)
    except (SyntaxError, ValueError):
        return None


def tree_of(file: str) -> ast.Module | None:
    """The parsed source of a file as it is now (a zip member and a notebook cell too), or None."""
    linecache.checkcache(file)
    lines = linecache.getlines(file)
    return _parsed("".join(lines)) if lines else None
