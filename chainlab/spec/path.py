"""Step paths: `outer/rewrite[3]@2` is the second round of item 3 of `rewrite` in the sub-chain `outer`.

Grammar: `seg("/"seg)*`, `seg = name("~"k)?(("["i"]")|("@"r))*`, suffixes outermost first. Knows text only.
"""

from __future__ import annotations

import re

_INSTANCE = re.compile(r"\[\d+\]|@\d+")


def static_path(path: str) -> str:
    """A step's place in the declared chain: `outer/rewrite[3]@2` is `outer/rewrite`."""
    return _INSTANCE.sub("", path) if "[" in path or "@" in path else path
