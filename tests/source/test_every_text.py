"""Any text, in any style of literal, in any file: patched exactly, and nothing else of the file changes."""

from __future__ import annotations

import ast
import tempfile
import warnings
from collections.abc import Callable
from pathlib import Path

from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from chainlab.source.apply import apply_patch
from chainlab.source.make import make_patch
from chainlab.source.place import text_hash
from chainlab.spec.chain import SourceRef
from chainlab.values.codec import decode
from tests.source.author import HEAD, apply_diff, declare, patch_of, project, spec_of

ODD = list("\"'\\\n\r\t{}%#éabud7x01 ") + ["\u200b", "\u2028", "\x0c", "\0", "\ud800", "\U0001f600", "\ufeff", '"""']
TEXTS = st.lists(st.one_of(st.sampled_from(ODD), st.characters(exclude_categories=["Cs"])), max_size=20).map("".join)
# An edit that keeps most of a text, as edits do.
PAIRS = st.one_of(
    st.tuples(TEXTS, TEXTS),
    st.builds(lambda a, b, c, d: (a + b + d, a + c + d), TEXTS, TEXTS, TEXTS, TEXTS),
)


def _safe(text: str, quote: str) -> str:
    rare = {"\\": "\\\\", "\r": "\\r", "\0": "\\x00", quote: "\\" + quote}
    return "".join(rare.get(c, f"\\u{ord(c):04x}" if 0xD800 <= ord(c) < 0xE000 else c) for c in text)


def _parts(text: str, between: str) -> str:
    third = len(text) // 3
    return between.join(map(repr, (text[:third], text[third : 2 * third], text[2 * third :])))


# Each writes a text as a literal, without the code that is tested.
STYLES: dict[str, Callable[[str], str]] = {
    "repr": repr,
    "ascii": ascii,
    "double": lambda text: '"' + _safe(text, '"').replace("\n", "\\n") + '"',
    "old unicode": lambda text: "u" + ascii(text),
    "triple": lambda text: f'"""{_safe(text, chr(34))}"""',
    "triple single": lambda text: f"'''{_safe(text, chr(39))}'''",
    "triple with a joined line": lambda text: f'"""\\\n{_safe(text, chr(34))}"""',
    "raw": lambda text: f'r"{text}"',
    "raw triple": lambda text: f"R'''{text}'''",
    "parts": lambda text: _parts(text, "\n    "),
    "parts with comments": lambda text: _parts(text, "  # why\n    "),
    "parts of two kinds": lambda text: f'{text[:3]!r} """{_safe(text[3:], chr(34))}"""',
    "parts on joined lines": lambda text: _parts(text, " \\\n        "),
}
FILES: dict[str, tuple[bytes, str, str]] = {
    "plain": (b"", "utf-8", "\n"),
    "Windows": (b"", "utf-8", "\r\n"),
    "byte order mark": (b"\xef\xbb\xbf", "utf-8", "\r\n"),
    "Latin-1": (b"# -*- coding: latin-1 -*-\n", "iso-8859-1", "\n"),
}


@settings(max_examples=600, deadline=None)
@given(st.sampled_from(sorted(STYLES)), st.sampled_from(sorted(FILES)), PAIRS)
@example("double", "plain", ("\\1", "\\12"))
@example("triple", "plain", ('""a', '"""a'))
@example("raw", "plain", ("a", "a\\"))
@example("parts", "Windows", ("one\ntwo\nthree\n", "one\nthree\n"))
@example("ascii", "Latin-1", ("a", "\u20ac"))
def test_a_patched_file_has_exactly_the_new_text_and_is_otherwise_the_same(
    style: str, kind: str, texts: tuple[str, str]
) -> None:
    old, new = texts
    assume(old != new and not {"other", "the éé end"} & {old, new})
    mark, encoding, newline = FILES[kind]
    head, tail = "# é\nif True:\n\tx = [\n    'other', (", "), 'the éé end', # the end\n\t\t]\n"
    literal = STYLES[style](old)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            assume(ast.literal_eval(f"({literal})") == old)
        before = mark + head.replace("\n", newline).encode(encoding)
        after = tail.replace("\n", newline).encode(encoding)
        body = before + literal.replace("\n", newline).encode(encoding) + after
    except (SyntaxError, ValueError):
        assume(False)
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "a.py").write_bytes(body)
        line = 1 + before.decode(encoding).count("\n")
        source = SourceRef(file="a.py", line=line, patchable=True, text_hash=text_hash(old))
        patch = make_patch(source, old, new, Path(folder))
    assert patch.new.startswith(before) and patch.new.endswith(after)
    written = patch.new[len(before) : len(patch.new) - len(after)].decode(encoding)
    assert ast.literal_eval(f"({written})") == new
    assert _without_text(patch.new, new) == _without_text(body, old)
    assert apply_diff(patch.diff, body.decode(encoding)) == patch.new.decode(encoding)


def _without_text(body: bytes, text: str) -> str:
    tree = ast.parse(body)
    found = [node for node in ast.walk(tree) if isinstance(node, ast.Constant) and node.value == text]
    assert len(found) == 1
    found[0].value, found[0].kind = "here", None
    return ast.dump(tree)


# A prompt's text in every place that an author puts one; `TEXT` stands for the literal.
LAYOUTS: dict[str, str] = {
    "argument": "@prompt(TEXT)\ndef say(text: str) -> str: return fill()\n",
    "lines": '@prompt(\n    TEXT,\n    model="x",  # why\n)\ndef say(text: str) -> str:\n    return fill()\n',
    "constant": "SAY = (TEXT)\n\n@prompt(SAY)\ndef say(text: str) -> str: return fill()\n",
    "annotated constant": "SAY: str = TEXT\n\n@prompt(SAY)\ndef say(text: str) -> str: return fill()\n",
    "system": '@prompt("Go. {{ text }}", system=TEXT)\ndef say(text: str) -> str: return fill()\n',
    "messages": '@prompt(messages=[\n    system("Be brief."),\n    user(TEXT), assistant("Yes."), user("Go.")])\n'
    "def say(text: str) -> str: return fill()\n",
    "function": "def make():\n\tif True:\n\t\t@prompt(TEXT)\n\t\tdef say(text: str) -> str: return fill()\n"
    "\t\treturn say\nsay = make()\n",
    "constant of a function": "def make():\n    here = TEXT\n    @prompt(here)\n"
    "    def say(text: str) -> str: return fill()\n    return say\nsay = make()\n",
    "class": "class Steps:\n    words = TEXT\n    @staticmethod\n    @prompt(words)\n"
    "    def say(text: str) -> str: return fill()\nsay = Steps.say\n",
}
LAYOUT_STYLES = sorted(set(STYLES) - {"parts", "parts with comments"})  # these need brackets around them
WORDS = st.text(st.characters(exclude_characters="{", exclude_categories=["Cs"]), max_size=25)


@settings(max_examples=120, deadline=None)
@given(st.sampled_from(sorted(LAYOUTS)), st.sampled_from(LAYOUT_STYLES), WORDS, WORDS, WORDS)
def test_a_patched_file_declares_the_same_chain_with_the_new_template(
    layout: str, style: str, first: str, second: str, last: str
) -> None:
    old, new = f"{first}{{{{ text }}}}{last}", f"{second}{{{{ text }}}}{last}"
    literal = STYLES[style](old)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            assume(old != new and ast.literal_eval(f"({literal})") == old)
    except (SyntaxError, ValueError):
        assume(False)
    with tempfile.TemporaryDirectory() as folder:
        body = LAYOUTS[layout].replace("TEXT", literal)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # an unknown escape in a literal
            before = project(Path(folder), (HEAD + body).encode("utf-8"))
        index = 1 if layout == "messages" else 0
        patch = patch_of(before, new, Path(folder), index=index)
        apply_patch(patch)
        after = declare(patch.path)
    wanted, got = (decode(spec_of(module).content) for module in (before, after))
    wanted["steps"][0]["messages"][index]["template"] = new
    assert got == wanted


@settings(max_examples=200, deadline=None)
@given(TEXTS, TEXTS, st.sampled_from(["\n", "\r\n", "\r"]), st.booleans())
def test_a_template_file_gets_exactly_the_new_text_and_keeps_its_line_ends(
    old: str, new: str, newline: str, mark: bool
) -> None:
    old, new = (text.replace("\r", "").replace("\ud800", "").lstrip("\ufeff") for text in (old, new))
    assume(old != new)
    body = ("\ufeff" if mark else "").encode() + old.replace("\n", newline).encode()
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "say.j2"
        file.write_bytes(body)
        source = SourceRef(file="say.j2", line=1, patchable=True, text_hash=text_hash(old))
        patch = make_patch(source, old, new, Path(folder))
        apply_patch(patch)
        text = file.read_bytes().decode("utf-8")
    assert text.startswith("\ufeff") is mark
    plain = text.removeprefix("\ufeff")
    assert plain.replace("\r\n", "\n").replace("\r", "\n") == new
    if newline == "\r\n" and "\n" in old:
        assert "\n" not in plain.replace("\r\n", "")
    assert apply_diff(patch.diff, body.decode()) == text
