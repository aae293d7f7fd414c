"""The text of one Python string literal: its parts, its characters, and how a new text is written in its style.

Works on source text alone. What it proposes is tried by whoever asks: a proposal may be wrong, and the last never is.
"""

from __future__ import annotations

import ast
import re
import unicodedata
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from typing import NamedTuple

LINE_END = re.compile(r"\r\n|\r|\n")

_PART = re.compile(r"""(?s)(?P<prefix>[rRuU]?)(?P<quote>'''|\"""|'|")(?P<body>(?:\\.|[^\\])*?)(?P=quote)""")
_GAP = re.compile(r"(?:\s|\\(?:\r\n|\r|\n)|#[^\r\n]*)*")
_CHUNK = re.compile(
    r"(?s)\\(?:\r\n|N\{[^}]*\}|x[0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|U[0-9a-fA-F]{8}|[0-7]{1,3}|.)|\r\n|.",
)
_RAW_CHUNK = re.compile(r"(?s)\r\n|.")
_SIMPLE = {"a": "\a", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v", "\\": "\\", "'": "'", '"': '"'}
_LINES = re.compile(r"[^\n]*\n|[^\n]+")
_PARAGRAPHS = re.compile(r"[^\n]*\n+|[^\n]+")  # a part of a literal ends after the line ends


class Part(NamedTuple):
    """One quoted string of a literal, as offsets in the literal's source: all of it, and what is between its quotes."""

    start: int
    body: int
    stop: int
    end: int
    prefix: str
    quote: str

    @property
    def raw(self) -> bool:
        """Whether backslashes stand for themselves."""
        return self.prefix in ("r", "R")


class Chunk(NamedTuple):
    """The source of one character of the value (two, for an unknown escape; none, for a joined line)."""

    start: int
    end: int
    value: str
    part: int


class File(NamedTuple):
    """What a literal must suit: the line ends of its file, and the encoding."""

    newline: str
    encoding: str

    def holds(self, text: str) -> bool:
        """Whether the encoding can write this text."""
        try:
            text.encode(self.encoding)
        except UnicodeEncodeError:
            return False
        return True


def span(lines: Sequence[str], node: ast.expr) -> tuple[int, int]:
    """Where a node's source stands in the joined lines, as offsets in characters (the tree counts UTF-8 bytes)."""
    assert node.end_lineno is not None and node.end_col_offset is not None

    def offset(line: int, column: int) -> int:
        return sum(map(len, lines[: line - 1])) + len(lines[line - 1].encode()[:column].decode())

    return offset(node.lineno, node.col_offset), offset(node.end_lineno, node.end_col_offset)


def parts_of(literal: str) -> list[Part]:
    """The quoted strings of a literal, implicit concatenation included; [] for anything else."""
    parts: list[Part] = []
    at = 0
    while at < len(literal):
        found = _PART.match(literal, at)
        if found is None:
            return []
        parts.append(Part(at, *found.span("body"), found.end(), found["prefix"], found["quote"]))
        gap = _GAP.match(literal, found.end())
        at = found.end() if gap is None else gap.end()
    return parts


def chunks_of(literal: str, parts: Sequence[Part]) -> list[Chunk]:
    """Every character of the value, with the source that writes it."""
    chunks = []
    for number, part in enumerate(parts):
        pattern = _RAW_CHUNK if part.raw else _CHUNK
        for found in pattern.finditer(literal, part.body, part.stop):
            chunks.append(Chunk(*found.span(), _value(found[0]), number))
    return chunks


def _value(source: str) -> str:
    if source in ("\r\n", "\r", "\n"):
        return "\n"
    if len(source) == 1:
        return source
    kind, rest = source[1], source[2:]
    if kind in "\r\n":
        return ""
    if kind in _SIMPLE:
        return _SIMPLE[kind]
    if kind in "01234567":
        return chr(int(source[1:], 8))
    if kind in "xuU" and rest:
        return chr(int(rest, 16))
    if kind == "N" and rest:
        return unicodedata.lookup(rest[1:-1])
    return source  # an unknown escape stands for itself


def first_line(literal: str) -> int | None:
    """How many file lines below its beginning a literal's first template line stands.

    None when template lines are not file lines: one line, escapes, several parts.
    """
    parts = parts_of(literal)
    if len(parts) != 1 or len(parts[0].quote) == 1:
        return None
    chunks = chunks_of(literal, parts)
    below = 1 if chunks and not chunks[0].value else 0
    for chunk in chunks[below:]:
        if not chunk.value or ("\n" in chunk.value and literal[chunk.start] == "\\"):
            return None
    return below


def rewrites(literal: str, new: str, file: File) -> Iterator[str]:
    """Sources for a literal with another text, best first: the old style as far as it goes, at last the plainest."""
    parts = parts_of(literal)
    if parts:
        yield from _styled(literal, parts, new, file)
    yield '"' + "".join(_escaped(char) if char in '\\"' or not " " <= char <= "~" else char for char in new) + '"'


def _styled(literal: str, parts: list[Part], new: str, file: File) -> Iterator[str]:
    first, kept = parts[0], frozenset(literal)
    quote, one_line = first.quote, len(first.quote) == 1 and len(parts) == 1
    other = "'" if quote[0] == '"' else '"'
    old = "".join(chunk.value for chunk in chunks_of(literal, parts))
    if one_line and "\n" in new and "\n" not in old:  # it was a line and becomes a text: no row of \n
        yield from _wholes(first, [quote * 3], new, file, kept)
    if one_line and quote in new and other not in new and "\\" + quote not in literal:
        yield from _wholes(first, [other], new, file, kept)
    yield from _in_place(literal, parts, new, file)
    if len(parts) > 1:
        pieces = _PARAGRAPHS.findall(new) or [""]
        yield _breaks(literal, parts, file).join(_quoted(piece, "", quote, file, kept) for piece in pieces)
    quotes = [quote, other * len(quote), quote[0] * 3] if first.raw else [quote]
    yield from _wholes(first, quotes, new, file, kept)


def _wholes(first: Part, quotes: list[str], new: str, file: File, kept: frozenset[str]) -> Iterator[str]:
    for quote in quotes:
        yield _quoted(new, first.prefix, quote, file, kept)
    if first.raw:  # what a raw literal cannot say is said without the prefix
        yield _quoted(new, "", quotes[0], file, kept)


def _quoted(text: str, prefix: str, quote: str, file: File, kept: frozenset[str]) -> str:
    return f"{prefix}{quote}{_spelled(text, prefix, quote, file, kept, ends=True)}{quote}"


def _spelled(text: str, prefix: str, quote: str, file: File, kept: frozenset[str], *, ends: bool) -> str:
    # The text between the quotes. `kept`: characters that the author wrote as they are; `ends`: the quotes follow.
    if prefix in ("r", "R"):
        return text.replace("\n", file.newline)
    written = []
    for index, char in enumerate(text):
        last = index == len(text) - 1
        if char == "\n":
            written.append(file.newline if len(quote) == 3 else "\\n")
        elif char == quote[0]:
            alone = len(quote) == 3 and not (last and ends) and text[index : index + 3] != quote
            written.append(char if alone else "\\" + char)
        elif char == "\t" and len(quote) == 3:
            written.append(char)
        elif char not in "\\\r\0" and (char.isprintable() or char in kept) and file.holds(char):
            written.append(char)
        else:
            written.append(_escaped(char))
    return "".join(written)


def _escaped(char: str) -> str:
    simple = {"\\": "\\\\", '"': '\\"', "\n": "\\n", "\r": "\\r", "\t": "\\t"}.get(char)
    code = ord(char)
    return simple or (f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}")


def _breaks(literal: str, parts: Sequence[Part], file: File) -> str:
    # What stands between two parts, comments left out.
    gap = literal[parts[0].end : parts[1].start]
    if "#" not in gap:
        return gap
    indent = re.search(r"[^\S\r\n]*$", gap)
    return file.newline + (indent[0] if indent else "")


def changes(old: str, new: str) -> list[tuple[int, int, int, int]]:
    """Where two texts differ, as `old[a:b]` becomes `new[c:d]`: by lines, each cut to the characters that differ."""
    import difflib

    old_lines, new_lines = _LINES.findall(old), _LINES.findall(new)
    found = []
    old_at, new_at = _starts(old_lines), _starts(new_lines)
    for tag, i, j, k, m in difflib.SequenceMatcher(None, old_lines, new_lines).get_opcodes():
        if tag == "equal":
            continue
        a, b, c, d = old_at[i], old_at[j], new_at[k], new_at[m]
        while a < b and c < d and old[a] == new[c]:
            a, c = a + 1, c + 1
        while a < b and c < d and old[b - 1] == new[d - 1]:
            b, d = b - 1, d - 1
        found.append((a, b, c, d))
    return found


def _starts(lines: Sequence[str]) -> list[int]:
    starts = [0]
    for line in lines:
        starts.append(starts[-1] + len(line))
    return starts


def _in_place(literal: str, parts: list[Part], new: str, file: File) -> Iterator[str]:
    # Only the characters that differ are written anew: escapes, comments and the layout of the rest stay.
    chunks = chunks_of(literal, parts)
    offsets = _starts([chunk.value for chunk in chunks])
    old = "".join(chunk.value for chunk in chunks)
    out = literal
    for a, b, c, d in reversed(changes(old, new)):
        low = bisect_right(offsets, a) - 1
        high = low if a == b else bisect_left(offsets, b)
        if offsets[low] != a or offsets[high] != b:
            return  # inside an unknown escape
        start, end, part = _reach(parts, chunks, low, high)
        if start < 0:
            return
        whole = _emptied(parts, start, end) if c == d else None
        if whole is not None:
            out = out[: whole[0]] + out[whole[1] :]
            continue
        middle = _broken(literal, parts, part, new[c:d], file, ends=end == part.stop)
        out = out[:start] + middle + out[end:]
    yield out


def _reach(parts: list[Part], chunks: list[Chunk], low: int, high: int) -> tuple[int, int, Part]:
    # The source from one chunk up to another; a start of -1 when it reaches over parts of different styles.
    if low == high:
        if low < len(chunks):
            return chunks[low].start, chunks[low].start, parts[chunks[low].part]
        part = parts[chunks[-1].part] if chunks else parts[0]
        at = chunks[-1].end if chunks else part.body
        return at, at, part
    first, last = parts[chunks[low].part], parts[chunks[high - 1].part]
    alike = (first.prefix, first.quote) == (last.prefix, last.quote)
    return (chunks[low].start if alike else -1), chunks[high - 1].end, last


def _emptied(parts: list[Part], start: int, end: int) -> tuple[int, int] | None:
    # What goes when whole parts lose their text: they, and the gap to the next one.
    first = next((n for n, part in enumerate(parts) if part.body == start), None)
    last = next((n for n, part in enumerate(parts) if part.stop == end), None)
    if first is None or last is None or last - first + 1 >= len(parts):
        return None
    if last + 1 < len(parts):
        return parts[first].start, parts[last + 1].start
    return parts[first - 1].end, parts[last].end


def _broken(literal: str, parts: list[Part], part: Part, text: str, file: File, *, ends: bool) -> str:
    # A new text inside a part; in a literal of several parts a line ends its part.
    kept = frozenset(literal)
    gap = _breaks(literal, parts, file) if len(parts) > 1 else ""
    if len(part.quote) == 3 or not LINE_END.search(gap):
        return _spelled(text, part.prefix, part.quote, file, kept, ends=ends)
    between = f"{part.quote}{gap}{part.prefix}{part.quote}"
    pieces = _PARAGRAPHS.findall(text)
    if pieces and pieces[-1].endswith("\n") and not ends:
        pieces.append("")
    spelled = [_spelled(piece, part.prefix, part.quote, file, kept, ends=True) for piece in pieces]
    return between.join(spelled)
