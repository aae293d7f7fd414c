"""Errors as a page is told them: no path of this machine, no secret, no endless word. Knows no route and no error."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from pathlib import Path

from chainlab.values.redact import Redactor

LONGEST = 2000  # characters of one text: it may quote what the page has sent


class Teller:
    """Words made fit to be told. `places`: folders of this machine, and what is said instead of each."""

    def __init__(self, places: Mapping[Path, str] | None = None, secrets: Iterable[str] = ()) -> None:
        shown = {Path.home(): "~", Path.cwd(): ".", **(places or {})}
        named = {str(place): words for place, words in shown.items() if len(place.parts) > 1}
        self._places = [
            (re.compile(re.escape(place) + r"(?![\w-])"), named[place])
            for place in sorted(named, key=len, reverse=True)
        ]
        self._redactor = Redactor(secrets)

    def text(self, words: str) -> str:
        """The words, fit to be told."""
        words = words if len(words) <= LONGEST else f"{words[:LONGEST]}…"
        for place, shown in self._places:
            words = place.sub(shown, words)
        return self._redactor.text(words)
