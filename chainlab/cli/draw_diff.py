"""Diffs of texts, messages and JSON in the terminal: `-` and `+` lines with some lines around. Knows no run."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from chainlab.cli.output import console, pretty, safe
from chainlab.cli.show_run import heading, shortened
from chainlab.compare.difference import MessageDiff
from chainlab.compare.text import Chunk, Coarse, Span, TextDiff
from chainlab.compare.values import Change, Path, ValueDiff

_AROUND = 3  # lines that are the same, before and after a change
_LONGEST = 2_000  # characters of a JSON value that was added, removed or replaced

_SIGNS = {"same": (" ", "dim", "dim"), "removed": ("-", "red", "bold red"), "added": ("+", "green", "bold green")}
_COARSE: dict[Coarse, str] = {
    "words": "too much changed to mark every word",
    "lines": "too much changed to find every line that is the same",
    "text": "too long to be compared line by line: only the common beginning and end are left out",
}


def show_messages(what: str, messages: Sequence[MessageDiff]) -> None:
    """The messages of a template or prompt that differ."""
    for message in messages:
        if message.in_a and message.in_b and message.text.same:
            continue
        only = "" if message.in_a and message.in_b else f"  only in {'a' if message.in_a else 'b'}"
        heading(f"{what}, {message.role}{only}")
        show_text(message.text)


def show_text(diff: TextDiff) -> None:
    """A text diff. In a terminal the words that differ stand out."""
    from rich.text import Text

    out = console()
    for number, chunk in enumerate(diff.chunks):
        sign, style, strong = _SIGNS[chunk.op]
        lines = _lines(chunk)
        if chunk.op == "same":
            lines = _around(lines, first=number == 0, last=number == len(diff.chunks) - 1)
        for line in lines:
            told = Text(f"{sign} ", style)
            for span in line:
                told.append(safe(span.text), strong if span.changed else style)
            out.print(told)
    ends = [_ends_with_break(diff, other) for other in ("added", "removed")]
    if ends[0] != ends[1]:
        out.print(f"{'a' if ends[0] else 'b'} ends with a line break, the other does not", style="dim")
    if diff.coarse is not None:
        out.print(_COARSE[diff.coarse], style="dim")


def show_value(diff: ValueDiff) -> None:
    """A diff of two values: of texts as a text, of other JSON path by path."""
    out = console()
    if diff.kind == "unread":
        out.print("too large to be compared; they differ", style="dim")
    if diff.text is not None:
        show_text(diff.text)
    for change in diff.changes:
        _change(change)
    if diff.reordered:
        out.print("the keys of an object stand in another order", style="dim")
    if diff.coarse and diff.text is None:
        out.print("too much changed to tell it piece by piece", style="dim")


def _change(change: Change) -> None:
    out = console()
    path = change.path_b if change.path_b is not None else change.path_a
    if path:
        was = change.path_a if change.path_a is not None and change.path_a != path else None
        out.print(safe(_written(path) + (f"  (was {_written(was)})" if was else "")), style="cyan")
    if change.text is not None:
        show_text(change.text)
        return
    if change.kind != "added":
        out.print(_signed("-", pretty(change.before)), style="red")
    if change.kind != "removed":
        out.print(_signed("+", pretty(change.after)), style="green")


def _signed(sign: str, text: str) -> str:
    return "\n".join(f"{sign} {line}" for line in shortened(text, _LONGEST).split("\n"))


def _written(path: Path) -> str:
    """`issues[2].title`."""
    parts = (f"[{part}]" if isinstance(part, int) else f".{part}" for part in path)
    return "".join(parts).removeprefix(".")


def _lines(chunk: Chunk) -> list[list[Span]]:
    """The lines of a chunk, each as its spans without the line break."""
    lines: list[list[Span]] = [[]]
    for span in chunk.spans:
        first, *more = span.text.split("\n")
        lines[-1].append(Span(first, span.changed))
        lines += [[Span(piece, span.changed)] for piece in more]
    return lines[:-1] if chunk.text.endswith("\n") else lines


def _around(lines: list[list[Span]], *, first: bool, last: bool) -> list[list[Span]]:
    """The lines next to a change, and how many are left out."""
    head, tail = (0 if first else _AROUND), (0 if last else _AROUND)
    left = len(lines) - head - tail
    if left <= 1:
        return lines
    gap = [Span(f"… {left} lines", False)]
    return [*lines[:head], gap, *lines[len(lines) - tail :]]


def _ends_with_break(diff: TextDiff, without: str) -> bool:
    texts: Iterator[str] = (chunk.text for chunk in reversed(diff.chunks) if chunk.op != without)
    return next(texts, "\n").endswith("\n")
