"""What models are writing at this moment in the replays of this server. Held once, for all pages; forgotten when a try
ends, for its record says it then. Knows no route and no page.
"""

from __future__ import annotations

import io
from collections import OrderedDict
from collections.abc import Callable, Iterable
from typing import TypeAlias

from chainlab.events import AttemptFinished, Event, RunFinished, TokenDelta
from chainlab.inspector.live_models import Written
from chainlab.values.redact import SHORTEST, Redactor

LONGEST = 100_000  # characters of one try; what comes after them is seen when it has ended
MOST = 256  # tries at once
AT_ONCE = 65_536  # characters told in one go

Key: TypeAlias = tuple[str, str, int]


class _Text:
    """One try's text so far, without secrets. What may be the beginning of a secret is held back."""

    def __init__(self, redactor: Redactor, secrets: tuple[str, ...]) -> None:
        self._redactor, self._secrets = redactor, secrets
        self._held = ""
        self._clean = io.StringIO()
        self.length = 0

    def add(self, piece: str) -> None:
        if self.length > LONGEST:
            return
        text = self._redactor.text(self._held + piece)
        at = self._doubtful(text)
        self._held = text[at:]
        self._clean.seek(0, io.SEEK_END)
        self.length += self._clean.write(text[:at])

    def after(self, at: int, most: int) -> str:
        self._clean.seek(at)
        return self._clean.read(most)

    def _doubtful(self, text: str) -> int:
        """Where the longest end of a text begins that a secret begins with."""
        longest = max(map(len, self._secrets), default=1) - 1
        for at in range(max(0, len(text) - longest), len(text)):
            if any(secret.startswith(text[at:]) for secret in self._secrets):
                return at
        return len(text)


class Writing:
    """All tries under way. `told` is called when there is news. Used in one event loop."""

    def __init__(self) -> None:
        self.told: Callable[[], None] = lambda: None
        self._texts: OrderedDict[Key, _Text] = OrderedDict()
        self._redactor = Redactor(patterns=False)
        self._secrets: tuple[str, ...] = ()

    def hide(self, secrets: Iterable[str]) -> None:
        """Secrets that no page may be told."""
        self._secrets = tuple(secret for secret in secrets if len(secret) >= SHORTEST)
        self._redactor = Redactor(self._secrets, patterns=False)

    def hear(self, event: Event) -> None:
        """Note what a model writes, and when a try is over."""
        match event:
            case TokenDelta(run_id=run, path=path, n=n, text=text):
                self._text((run, path, n)).add(text)
                self.told()
            case AttemptFinished(run_id=run, path=path, n=n):
                self._texts.pop((run, path, n), None)
            case RunFinished(run_id=run):  # a try that was cut off does not say that it ended
                for key in [key for key in self._texts if key[0] == run]:
                    del self._texts[key]
            case _:
                pass

    def _text(self, key: Key) -> _Text:
        known = self._texts.get(key)
        if known is None:
            known = self._texts[key] = _Text(self._redactor, self._secrets)
            if len(self._texts) > MOST:
                self._texts.popitem(last=False)
        return known

    def news(self, told: dict[Key, tuple[int, int]]) -> tuple[list[Written], bool]:
        """What somebody has not been told, and whether there is more.

        `told` is where they are in every text, in characters and in UTF-16 units; it is brought up to date.
        """
        for key in [key for key in told if key not in self._texts]:
            del told[key]
        found: list[Written] = []
        left = AT_ONCE
        for key, text in self._texts.items():
            at, units = told.get(key, (0, 0))
            if text.length == at:
                continue
            if left <= 0:
                return found, True
            piece = text.after(at, left)
            left -= len(piece)
            found.append(Written(*key, units, piece))
            told[key] = (at + len(piece), units + _units(piece))
        return found, False


def _units(text: str) -> int:
    return len(text) + sum(character > "\uffff" for character in text)
