"""A patch made: a new template in the exact place of the old one, in a Python literal or a template file.

A patch changes one text and nothing else, and the file then says exactly the new text: both are tried before a patch
is given. Reads files and writes none.
"""

from __future__ import annotations

import ast
import difflib
import io
import re
import tokenize
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import replace
from itertools import zip_longest
from pathlib import Path

from chainlab.errors import PatchError
from chainlab.source.below import below_root, read_bytes
from chainlab.source.find import Found, find_literal, name_uses
from chainlab.source.literal import LINE_END, File, rewrites
from chainlab.source.patch import Patch, Splice, lines_of
from chainlab.source.place import plain_text, text_hash
from chainlab.source.tree import parse
from chainlab.spec.chain import SourceRef


def make_patch(source: SourceRef, old: str, new: str, root: Path) -> Patch:
    """The patch that puts a new template where `source` says the old one stands.

    `old` is the template that the edit began from: where it is itself an edited one, the file holds the text that
    `source` has the hash of. Raises PatchError: `patch-notebook`, `patch-computed`, `patch-outside`, `patch-missing`,
    `patch-changed`, `patch-ambiguous`, `patch-applied`, `patch-unreadable`.
    """
    path, name = below_root(source.file, root)
    at = f"{name}:{source.line}"
    if not source.patchable:
        raise PatchError(
            "the template is computed: it is not one literal in the file",
            code="patch-computed",
            file=name,
            line=source.line,
            expected="one string literal, a constant that names one, or a template file",
            remedy=f"change the code at {at} so that it gives the new text",
        )
    body = read_bytes(path, name)
    wanted = source.text_hash or text_hash(old)
    notes = () if wanted == text_hash(old) else ("the file holds the text from before the earlier edits",)
    if path.suffix in (".py", ".pyw") and not _is_text(body, wanted):
        return _literal_patch(source, wanted, new, Patch(root, path, name, source.line, "utf-8", body, (), notes))
    return _file_patch(wanted, old, new, Patch(root, path, name, 1, "utf-8", body, (), notes))


def _is_text(body: bytes, wanted: str) -> bool:
    try:
        return text_hash(plain_text(body)) == wanted
    except UnicodeDecodeError:
        return False


def _file_patch(wanted: str, old: str, new: str, empty: Patch) -> Patch:
    try:
        text = plain_text(empty.old)
    except UnicodeDecodeError as error:
        raise _unreadable(empty, str(error)) from None
    plain = LINE_END.sub("\n", new)
    if text == plain:
        raise _applied(empty, 1)
    if text_hash(text) != wanted:
        raise _changed(empty, 1, _first_difference(old, text) if text_hash(old) == wanted else _shown(text))
    notes = empty.notes
    if plain != new:
        notes = (*notes, "the line ends of the new text became those of the file")
    if text.endswith("\n") and not plain.endswith("\n"):
        notes = (*notes, "the new text does not end with a line end, as the old one did")
    for body in _file_forms(empty.old.decode("utf-8"), plain):
        if plain_text(body) == plain:
            return replace(empty, splices=(Splice(0, len(empty.old), body),), notes=notes)
    raise _unreadable(empty, "the new text cannot be written in UTF-8")


def _file_forms(raw: str, new: str) -> Iterator[bytes]:
    # The new text with the byte order mark and the line ends of the file: a line that stays keeps its own.
    mark = "\ufeff" if raw.startswith("\ufeff") or new.startswith("\ufeff") else ""
    raw_lines = re.findall(r"[^\r\n]*(?:\r\n|\r|\n)|[^\r\n]+", raw.removeprefix("\ufeff"))
    old_lines = [LINE_END.sub("\n", line) for line in raw_lines]
    new_lines, newline = lines_of(new), _newline(raw)
    out: list[str] = []
    for tag, i, j, k, m in difflib.SequenceMatcher(None, old_lines, new_lines).get_opcodes():
        out += raw_lines[i:j] if tag == "equal" else [line.replace("\n", newline) for line in new_lines[k:m]]
    for text in ("".join(out), new):
        with suppress(UnicodeEncodeError):
            yield (mark + text).encode("utf-8")


def _literal_patch(source: SourceRef, wanted: str, new: str, empty: Patch) -> Patch:
    text, encoding, tree = _parsed(empty)
    found = find_literal(text, tree, source.line, wanted)
    if isinstance(found, Found):
        if found.value == new:
            raise _applied(empty, found.line)
        file = File(_newline(text), encoding)
        for literal in rewrites(text[found.start : found.end], new, file):
            changed = text[: found.start] + literal + text[found.end :]
            if file.holds(literal) and _is_only_change(tree, changed, found.node, new):
                notes = (*empty.notes, *_notes(tree, found, source.line))
                splice = _splice(empty.old, text, found, literal, encoding)
                return replace(empty, line=found.line, encoding=encoding, splices=(splice,), notes=notes)
        raise _unreadable(empty, "no form of the new text was read back as it is")
    if any(other.value == new for other in found.there):
        raise _applied(empty, source.line)
    now = find_literal(text, tree, source.line, text_hash(new))
    if not found.same and isinstance(now, Found):  # the lines above it have changed too, by another patch perhaps
        raise _applied(empty, now.line)
    if found.same:
        raise PatchError(
            f"the text stands in the file {len(found.same)} times, at {_at_lines(found.same)}",
            code="patch-ambiguous",
            file=empty.file,
            line=source.line,
            remedy="copy the new text into the right one yourself",
        )
    shown = ", ".join(repr(other.value)[:200] for other in found.there)
    raise _changed(empty, source.line, shown or _shown(_line(text, source.line)))


def _parsed(empty: Patch) -> tuple[str, str, ast.Module]:
    # The text without its byte order mark, the encoding that gives the bytes back, the tree.
    try:
        found, _ = tokenize.detect_encoding(io.BytesIO(empty.old).readline)
        encoding = found.removesuffix("-sig")
        raw = empty.old.decode(encoding)
        if raw.encode(encoding) != empty.old:
            raise UnicodeError(f"{encoding} does not give back the same bytes")
        text = raw.removeprefix("\ufeff")
        return text, encoding, parse(text)
    except (SyntaxError, ValueError, LookupError) as error:
        raise _unreadable(empty, str(error)) from None


def _is_only_change(tree: ast.Module, changed: str, node: ast.Constant, new: str) -> bool:
    # Whether a changed source differs from a tree in one constant, and that one has the new text.
    try:
        other_tree = parse(changed)
    except (SyntaxError, ValueError):
        return False
    for mine, other in zip_longest(ast.walk(tree), ast.walk(other_tree)):
        if mine is node:
            if not isinstance(other, ast.Constant) or other.value != new or type(other.value) is not str:
                return False
        elif type(mine) is not type(other) or list(_own_fields(mine)) != list(_own_fields(other)):
            return False
    return True


def _own_fields(node: ast.AST) -> Iterator[tuple[str, str]]:
    # A node without what is below it, but with how much there is.
    for name, value in ast.iter_fields(node):
        if isinstance(value, list):
            yield name, repr([None if isinstance(item, ast.AST) else item for item in value])
        else:
            yield name, "" if isinstance(value, ast.AST) else repr(value)


def _splice(body: bytes, text: str, found: Found, literal: str, encoding: str) -> Splice:
    # Offsets in characters become offsets in bytes; a byte order mark stands before the text.
    mark = len(body) - len(text.encode(encoding))
    start = mark + len(text[: found.start].encode(encoding))
    return Splice(start, start + len(text[found.start : found.end].encode(encoding)), literal.encode(encoding))


def _notes(tree: ast.Module, found: Found, line: int) -> Iterator[str]:
    if found.line != line:
        yield f"the text moved from line {line} to line {found.line}"
    if found.others:
        yield f"the same text also stands at {_at_lines(found.others)}, and stays as it is there"
    name, uses = name_uses(tree, found.node)
    if len(uses) > 1:
        yield f"{name} is used at {_at_lines(uses)}: the new text is for all of them"


def _at_lines(lines: Iterable[int]) -> str:
    numbers = sorted(set(lines))
    return f"line{'s' if len(numbers) > 1 else ''} {', '.join(map(str, numbers))}"


def _newline(text: str) -> str:
    return "\r\n" if 2 * text.count("\r\n") > text.count("\n") else "\n"


def _line(text: str, number: int) -> str:
    lines = LINE_END.split(text)
    return lines[number - 1] if number <= len(lines) else f"(the file has {len(lines)} lines)"


def _shown(text: str) -> str:
    return text.strip()[:200] or "(nothing)"


def _first_difference(old: str, now: str) -> str:
    pairs = enumerate(zip_longest(old.split("\n"), now.split("\n")), 1)
    number, line = next((number, line) for number, (was, line) in pairs if was != line)
    return f"line {number}: {_shown(line or '')}"


def _applied(empty: Patch, line: int) -> PatchError:
    return PatchError(
        "the file already has the new text",
        code="patch-applied",
        file=empty.file,
        line=line,
        remedy="nothing is left to do",
    )


def _changed(empty: Patch, line: int, got: str) -> PatchError:
    return PatchError(
        "the file has changed: the recorded text does not stand there any more",
        code="patch-changed",
        file=empty.file,
        line=line,
        expected="the text that the run was recorded with",
        got=got,
        remedy=f"copy the new text into {empty.file} yourself, or run the chain again and edit that run",
    )


def _unreadable(empty: Patch, why: str) -> PatchError:
    return PatchError(
        f"the file cannot be read as it must be to patch it: {why}",
        code="patch-unreadable",
        file=empty.file,
        remedy=f"copy the new text into {empty.file} yourself",
    )
