"""How a patched literal looks: in the style of the old one, and only where the text changed."""

from __future__ import annotations

import textwrap
from pathlib import Path

import pytest

from tests.source.author import HEAD, check_diff, patch_of, project

# What the literal was, the new text, what it becomes.
SAME_STYLE: dict[str, tuple[str, str, str]] = {
    "quotes stay": ("'Say {{ text }}'", "Tell {{ text }}", "'Tell {{ text }}'"),
    "escaped line ends stay": (r'"Say\n\n{{ text }}"', "Say\n\nit: {{ text }}\n", r'"Say\n\nit: {{ text }}\n"'),
    "a line that becomes a text": ('"Say {{ text }}"', "Say\n{{ text }}", '"""Say\n{{ text }}"""'),
    "a quote changes the quotes": ('"Say {{ text }}"', 'Say "{{ text }}"', "'Say \"{{ text }}\"'"),
    "both quotes": ('"Say {{ text }}"', 'It\'s "{{ text }}"', '"It\'s \\"{{ text }}\\""'),
    "escaped quotes stay": (r'"Say \"{{ text }}\""', 'Tell "{{ text }}"', r'"Tell \"{{ text }}\""'),
    "escapes that do not change stay": ('"Caf\\u00e9 {{ text }}"', "Café! {{ text }}", '"Caf\\u00e9! {{ text }}"'),
    "letters stay letters": ('"Say {{ text }}"', "Dis «{{ text }}» ✓", '"Dis «{{ text }}» ✓"'),
    "what cannot be seen is escaped": ('"Say {{ text }}"', "Say\u200b {{ text }}", '"Say\\u200b {{ text }}"'),
    "raw stays raw": (r'r"\d {{ text }}"', r"\d\w {{ text }}", r'r"\d\w {{ text }}"'),
    "raw with a quote": (r'r"\d {{ text }}"', r'"\d" {{ text }}', r"""r'"\d" {{ text }}'"""),
    "raw that cannot be": (r'r"\d {{ text }}"', "\\d {{ text }}\\", r'"\\d {{ text }}\\"'),
    "raw that becomes a text": (r'r"\d {{ text }}"', "\\d\n{{ text }}", 'r"""\\d\n{{ text }}"""'),
    "an unknown escape": (r'"A\d {{ text }}"', r"A\d: {{ text }}", r'"A\d: {{ text }}"'),
    "triple quotes inside": ('"""Say\n{{ text }}"""', 'Say """\n{{ text }}"', '"""Say \\"""\n{{ text }}\\""""'),
    "the joined first line": ('"""\\\nSay\n{{ text }}"""', "Tell\n{{ text }}", '"""\\\nTell\n{{ text }}"""'),
    "old unicode": ('u"Say {{ text }}"', "Tell {{ text }}", 'u"Tell {{ text }}"'),
}


@pytest.mark.parametrize("name", SAME_STYLE)
@pytest.mark.filterwarnings("ignore:.*invalid escape sequence:DeprecationWarning")
@pytest.mark.filterwarnings("ignore:.*invalid escape sequence:SyntaxWarning")
def test_a_new_text_is_written_as_the_old_one_was(name: str, tmp_path: Path) -> None:
    old, new, written = SAME_STYLE[name]
    body = "@prompt({})\ndef say(text: str) -> str: return fill()\n"
    patch = patch_of(project(tmp_path, body.format(old)), new, tmp_path)
    assert patch.new.decode() == HEAD + body.format(written)


PARTS = """
@prompt(
    "Read this.\\n"  # the task
    "Be brief.\\n"  # they were long
    "{{ text }}"
)
def say(text: str) -> str: return fill()
"""


def parts(tmp_path: Path, new: str) -> str:
    """The decorator after a patch."""
    patch = patch_of(project(tmp_path, PARTS), new, tmp_path)
    return patch.new.decode().partition("@prompt(\n")[2].partition("\n)")[0]


def test_a_changed_line_of_a_text_in_parts_leaves_the_other_parts_and_their_comments(tmp_path: Path) -> None:
    after = parts(tmp_path, "Read this.\nBe very brief.\n{{ text }}")
    assert after == '    "Read this.\\n"  # the task\n    "Be very brief.\\n"  # they were long\n    "{{ text }}"'


def test_a_new_line_in_a_text_in_parts_is_a_part(tmp_path: Path) -> None:
    after = parts(tmp_path, "Read this.\nBe brief.\nBe kind.\n{{ text }}\nNow!")
    assert after == (
        '    "Read this.\\n"  # the task\n    "Be brief.\\n"  # they were long\n'
        '    "Be kind.\\n"\n    "{{ text }}\\n"\n    "Now!"'
    )


def test_a_removed_line_of_a_text_in_parts_takes_its_part_away(tmp_path: Path) -> None:
    assert parts(tmp_path, "Read this.\n{{ text }}") == '    "Read this.\\n"  # the task\n    "{{ text }}"'


def test_a_long_text_inside_a_function_changes_in_one_line_only(tmp_path: Path) -> None:
    body = '''
def make():
    @prompt(
        """
        Read this:

        {{ text }}
        """,
        model="x",
    )
    def say(text: str) -> str:
        return fill()

    return say

say = make()
'''
    new = "\n        Read this, and be brief:\n\n        {{ text }}\n        "
    patch = patch_of(project(tmp_path, body), new, tmp_path)
    changed = [line for line in patch.diff.splitlines()[2:] if line[0] in "+-"]
    assert changed == ["-        Read this:", "+        Read this, and be brief:"]


@pytest.mark.parametrize("name", ["chains.py", "my chains/über.py"])
def test_the_diff_is_one_that_git_and_patch_take(name: str, tmp_path: Path) -> None:
    body = '@prompt("Say {{ text }}")\ndef say(text: str) -> str: return fill()\nLAST = "no line end"'
    patch = patch_of(project(tmp_path / "app", body, name), "Say\n{{ text }}", tmp_path / "app")
    check_diff(patch, tmp_path)
    assert patch.diff.startswith(f"--- a/{name}") and patch.diff.count("\\ No newline at end of file") == 1


def test_the_diff_of_a_file_with_windows_line_ends_and_a_byte_order_mark_is_taken_too(tmp_path: Path) -> None:
    body = f'{HEAD}@prompt("""Say\n{{{{ text }}}}""")\ndef say(text: str) -> str: return fill()\n'
    module = project(tmp_path / "app", b"\xef\xbb\xbf" + body.replace("\n", "\r\n").encode())
    patch = patch_of(module, "Say\nit:\n{{ text }}", tmp_path / "app")
    check_diff(patch, tmp_path)
    assert patch.new == patch.old.replace(b"Say\r\n", b"Say\r\nit:\r\n")


def test_escapes_and_line_ends_that_do_not_change_stay_in_a_file_with_windows_line_ends(tmp_path: Path) -> None:
    body = f'{HEAD}@prompt("""Say \\u00e9\n{{{{ text }}}}\nNow""")\ndef say(text: str) -> str: return fill()\n'
    module = project(tmp_path, body.replace("\n", "\r\n").encode())
    patch = patch_of(module, "Say é\n{{ text }}\nSoon", tmp_path)
    assert patch.new == patch.old.replace(b"Now", b"Soon")


def test_a_file_in_latin_1_stays_in_it(tmp_path: Path) -> None:
    head = f"# -*- coding: latin-1 -*-\n{HEAD}"
    body = '@prompt("Café {{ text }}")  # déjà vu\ndef say(text: str) -> str: return fill()\n'
    patch = patch_of(project(tmp_path / "app", (head + body).encode("latin-1")), "Thé {{ text }} ✓", tmp_path / "app")
    assert patch.new == (head + body.replace("Café {{ text }}", "Thé {{ text }} \\u2713")).encode("latin-1")
    check_diff(patch, tmp_path)


def test_a_template_file_is_patched_with_its_own_line_ends(tmp_path: Path) -> None:
    app = tmp_path / "app"
    app.mkdir()
    (app / "say.j2").write_bytes(b"Say\r\n\r\n{{ text }}\r\n")
    module = project(app, '@prompt(file="say.j2")\ndef say(text: str) -> str: return fill()\n')
    patch = patch_of(module, "Tell\n\n{{ text }}\nNow\n", app)
    assert (patch.file, patch.new) == ("say.j2", b"Tell\r\n\r\n{{ text }}\r\nNow\r\n")
    check_diff(patch, tmp_path)


def test_a_template_file_whose_new_text_has_no_last_line_end_says_so(tmp_path: Path) -> None:
    (tmp_path / "say.j2").write_text("Say {{ text }}\n")
    module = project(tmp_path, '@prompt(file="say.j2")\ndef say(text: str) -> str: return fill()\n')
    patch = patch_of(module, "Tell {{ text }}", tmp_path)
    assert patch.new == b"Tell {{ text }}" and "does not end with a line end" in patch.notes[0]


def test_a_diff_shows_the_changed_line_and_what_is_around_it(tmp_path: Path) -> None:
    module = project(tmp_path, '@prompt("Say {{ text }}", model="x")\ndef say(text: str) -> str: return fill()\n')
    patch = patch_of(module, "Tell {{ text }}", tmp_path)
    assert patch.diff == textwrap.dedent(
        f"""\
        --- a/chains.py
        +++ b/chains.py
        @@ -1,3 +1,3 @@
         {HEAD.rstrip()}
        -@prompt("Say {{{{ text }}}}", model="x")
        +@prompt("Tell {{{{ text }}}}", model="x")
         def say(text: str) -> str: return fill()
        """
    )
