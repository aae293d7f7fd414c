"""An output schema as llama.cpp's grammar takes it. Pure; what it loosens is checked again when the reply is validated.

llama.cpp reads `$ref`, nesting, unions and primitive roots itself (measured). Its converter writes to stderr and gives
up on a pattern that it cannot say, and fails on long repetitions: those are put in its terms here, or left out.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

_MOST_REPEATS = 1000  # above about 2000 llama.cpp refuses the grammar
_NAMED = ("properties", "$defs", "definitions", "patternProperties", "dependentSchemas")  # their keys are the author's
_DATA = ("const", "enum", "default", "examples")
_CLASSES = {"d": "0-9", "w": "A-Za-z0-9_", "s": " \\t\\n\\r"}
_TOKEN = re.compile(r"\\.|\(\?:|\(\?|[*+?}]\?|\[\^?|\]|.", re.DOTALL)
_UNSAID = frozenset({"^", "$", "(?", "*?", "+?", "??", "}?"})  # anchors, lookaheads, flags, which of several matches


def grammar_schema(schema: Mapping[str, Any]) -> dict[str, Any]:
    """The schema with every keyword that llama.cpp cannot turn into a grammar rewritten or left out."""
    out: dict[str, Any] = {}
    for key, value in schema.items():
        if key in _NAMED and isinstance(value, Mapping):
            out[key] = {name: _walk(part) for name, part in value.items()}
        elif key == "pattern" and isinstance(value, str):
            if (pattern := plain_pattern(value)) is not None:
                out[key] = pattern
        elif key in ("minLength", "minItems", "maxLength", "maxItems"):
            if value <= _MOST_REPEATS:
                out[key] = value
        else:
            out[key] = value if key in _DATA else _walk(value)
    return out


def _walk(value: Any) -> Any:
    if isinstance(value, Mapping):
        return grammar_schema(value)
    if isinstance(value, list):
        return [_walk(item) for item in value]
    return value


def plain_pattern(pattern: str) -> str | None:
    r"""A regular expression without `\d`, `\w`, `\s`, `(?:` and open ends; None when it cannot be said in a grammar."""
    begins, ends = pattern.startswith("^"), re.search(r"(?<!\\)(?:\\\\)*\$$", pattern) is not None
    out: list[str] = []
    inside = False
    for token in _TOKEN.findall(pattern[begins : len(pattern) - ends]):
        if token.startswith("["):
            token = token if not inside else "\\" + token
            inside = True
        elif token == "]":
            inside = False
        elif token == "(?:" and not inside:
            token = "("
        elif token in _UNSAID and not inside:
            return None
        elif token.startswith("\\") and token[1:].isalnum():
            named = _CLASSES.get(token[1])
            if named is None:
                return None
            token = named if inside else f"[{named}]"
        out.append(token)
    start, end = "" if begins else ".*", "" if ends else ".*"
    return f"^{start}({''.join(out)}){end}$" if start or end else f"^{''.join(out)}$"
