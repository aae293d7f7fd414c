"""How things look in a terminal: consoles, harmless text, times, counts, status marks. Knows no command."""

from __future__ import annotations

import json
import os
import re
import sys
from datetime import datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rich.console import Console
    from rich.text import Text

MARKS = {
    "ok": ("✓", "green"),
    "failed": ("✗", "red"),
    "running": ("●", "cyan"),
    "queued": ("○", "dim"),
    "waiting": ("○", "dim"),
    "skipped": ("–", "dim"),
    "reused": ("↺", "magenta"),
    "cached": ("↺", "magenta"),
    "cancelled": ("■", "yellow"),
    "interrupted": ("■", "yellow"),
    "warning": ("!", "yellow"),
    "problem": ("✗", "red"),
}

# Everything a terminal could take for an order, and what no encoding can write.
_UNSAFE = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")


UNHEARD = 141  # 128 + SIGPIPE, as the shell says it: nobody reads the output any more; not a run that failed


def console(*, stderr: bool = False) -> Console:
    """A console that prints text as it is: no markup, no highlighting, no emoji names."""
    from rich.console import Console

    class Plain(Console):
        def on_broken_pipe(self) -> None:
            try:
                super().on_broken_pipe()
            except SystemExit:
                raise SystemExit(UNHEARD) from None

    return Plain(stderr=stderr, markup=False, highlight=False, emoji=False, soft_wrap=True)


def interactive(*, stderr: bool = False) -> bool:
    """Whether a view that redraws itself makes sense: a terminal, and nobody asked for plain lines."""
    stream = sys.stderr if stderr else sys.stdout
    plain = os.environ.get("NO_COLOR") or in_ci() or os.environ.get("TERM") == "dumb"
    return stream.isatty() and not plain


def in_ci() -> bool:
    """Whether a machine reads along (CI=1)."""
    return os.environ.get("CI", "").lower() not in ("", "0", "false")


def safe(text: str) -> str:
    """Text that a model wrote, for a terminal: control characters are shown, never obeyed."""
    return _UNSAFE.sub(lambda found: f"\\u{ord(found[0]):04x}", text.replace("\r\n", "\n"))


def mark(status: str) -> Text:
    """A status as its sign and colour."""
    from rich.text import Text

    sign, style = MARKS.get(status, ("?", ""))
    return Text(sign, style)


def say_error(text: str) -> None:
    """An expected error, once, on stderr; its first line stands out in a terminal."""
    head, _, rest = safe(text).partition("\n")
    out = console(stderr=True)
    out.print(head, style="bold red")
    if rest:
        out.print(rest)


def seconds(microseconds: int | None) -> str:
    """A duration for people: `840 ms`, `3.2 s`, `2 m 05 s`."""
    if microseconds is None:
        return ""
    if microseconds < 999_500:
        return f"{microseconds / 1000:.0f} ms" if microseconds >= 9_950 else f"{microseconds / 1000:.1f} ms"
    if microseconds < 99_950_000:
        return f"{microseconds / 1e6:.1f} s"
    whole = round(microseconds / 1e6)
    return f"{whole // 60} m {whole % 60:02d} s"


def tokens(given: int | None, written: int | None) -> str:
    """Token counts: `544 in, 81 out`; nothing where nothing was counted."""
    if not given and not written:
        return ""
    return ", ".join(f"{count} {way}" for count, way in ((given, "in"), (written, "out")) if count)


def money(nano: int | None) -> str:
    """A cost in billionths, in units; nothing where nothing was spent, or nobody knows."""
    return f"cost {nano / 1e9:.6f}".rstrip("0").rstrip(".") if nano else ""


def about_money(nano: int | None) -> str:
    """What something will cost, in words."""
    if nano is None:
        return "cost unknown"
    return f"about {money(nano)}" if nano else "free"


def units(nano: int | None) -> float | None:
    """A cost in units, for programs; None: not known."""
    return None if nano is None else nano / 1e9


def clock(microseconds: int) -> str:
    """A moment, in the reader's own time."""
    return datetime.fromtimestamp(microseconds / 1e6).astimezone().strftime("%Y-%m-%d %H:%M:%S")


def pretty(value: Any) -> str:
    """A JSON value for people: text as it is, pictures in a few words, everything else indented."""
    value = _without_pictures(value)
    if isinstance(value, str):
        return safe(value)
    return safe(json.dumps(value, ensure_ascii=False, indent=2))


def _without_pictures(value: Any) -> Any:
    from chainlab.values import pictures

    if pictures.is_picture(value):
        return pictures.said(value)
    if isinstance(value, dict):
        return {key: _without_pictures(held) for key, held in value.items()}
    return [_without_pictures(held) for held in value] if isinstance(value, list) else value


def print_json(value: Any) -> None:
    """One JSON document on stdout, for programs: pure ASCII, so that no encoding can spoil it."""
    sys.stdout.write(json.dumps(value, indent=2) + "\n")
    sys.stdout.flush()


def size(count: int) -> str:
    """A number of bytes for people: `840 bytes`, `3.2 kB`, `98 MB`."""
    if count < 1000:
        return plural(count, "byte")
    value = float(count)
    for unit in ("kB", "MB", "GB"):
        value /= 1000
        if value < 999.5:
            return f"{value:.1f} {unit}" if value < 9.95 else f"{value:.0f} {unit}"
    return f"{value / 1000:.1f} TB"


def plural(count: int, noun: str) -> str:
    """`1 step`, `3 steps`."""
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"
