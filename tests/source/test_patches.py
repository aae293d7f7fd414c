"""Which text is patched, and which is refused and why: found by line and hash, never outside the project."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from chainlab.errors import PatchError
from chainlab.source.make import make_patch
from chainlab.source.patch import merge_patches
from chainlab.source.place import text_hash
from chainlab.spec.chain import SourceRef
from tests.source.author import HEAD, message, patch_of, project, source_of

SAY = '@prompt("Say {{ text }}")\ndef say(text: str) -> str: return fill()\n'
TELL = '@prompt("Tell {{ text }}")\ndef tell(text: str) -> str: return fill()\n'


def refused(root: Path, body: str, new: str = "New {{ text }}") -> PatchError:
    """The error of a file whose prompt cannot be patched."""
    module = project(root, body)
    with pytest.raises(PatchError) as caught:
        patch_of(module, new, root)
    assert caught.value.remedy and caught.value.code in str(caught.value)
    return caught.value


def rewritten(root: Path, body: str, *, later: str) -> PatchError:
    """The error of a prompt whose file was changed after it was declared."""
    module = project(root, body)
    (root / "chains.py").write_text(later)
    with pytest.raises(PatchError) as caught:
        patch_of(module, "New {{ text }}", root)
    return caught.value


@pytest.mark.parametrize(
    "computed",
    [
        '"Say " + "{{ text }}"',
        'f"Say {{{{ text }}}}"',
        '"Say {{ %s }}" % "text"',
        '" Say {{ text }}".strip()',
        'textwrap.dedent("""\\\n    Say {{ text }}""")',
        "PIECES[0]",
        "TWICE",
        "GROWN",
    ],
)
def test_a_computed_template_is_refused(computed: str, tmp_path: Path) -> None:
    head = (
        'import textwrap\nPIECES = ["Say {{ text }}"]\nTWICE = "Say {{ text }}"\nTWICE = "Say {{ text }}"\n'
        'GROWN = "Say"\nGROWN += " {{ text }}"\n'
    )
    error = refused(tmp_path, f"{head}@prompt({computed})\ndef say(text: str) -> str: return fill()\n")
    assert (error.code, error.file, error.line) == ("patch-computed", "chains.py", 8)


def test_a_changed_text_is_refused_with_what_stands_there_now(tmp_path: Path) -> None:
    error = rewritten(tmp_path, SAY, later=HEAD + SAY.replace("Say", "Speak"))
    assert (error.code, error.line) == ("patch-changed", 2)
    assert "'Speak {{ text }}'" in str(error.got)


def test_a_line_with_something_else_is_shown(tmp_path: Path) -> None:
    assert rewritten(tmp_path, SAY, later="import json\nx = json.loads\n").got == "x = json.loads"
    assert rewritten(tmp_path, SAY, later="").got == "(the file has 1 lines)"


def test_a_file_that_is_no_python_any_more_is_refused(tmp_path: Path) -> None:
    assert rewritten(tmp_path, SAY, later=HEAD + SAY + "def (").code == "patch-unreadable"


def test_a_patch_that_is_already_there_is_said_to_be(tmp_path: Path) -> None:
    later = HEAD + SAY.replace("Say", "New")
    assert rewritten(tmp_path, SAY, later=later).code == "patch-applied"
    assert refused(tmp_path, SAY, "Say {{ text }}").code == "patch-applied"


def test_lines_added_above_do_not_matter(tmp_path: Path) -> None:
    module = project(tmp_path, SAY)
    (tmp_path / "chains.py").write_text("# one\n# two\n" + HEAD + "\n" + SAY)
    patch = patch_of(module, "New {{ text }}", tmp_path)
    assert patch.line == 5 and patch.new.decode() == "# one\n# two\n" + HEAD + "\n" + SAY.replace("Say", "New")
    assert patch.notes == ("the text moved from line 2 to line 5",)


def test_a_moved_text_that_stands_there_twice_is_refused(tmp_path: Path) -> None:
    error = rewritten(tmp_path, SAY, later="#\n#\n#\n" + HEAD + SAY + SAY.replace("def say", "def again"))
    assert error.code == "patch-ambiguous" and "lines 5, 7" in str(error)


def test_two_equal_texts_on_one_line_are_refused(tmp_path: Path) -> None:
    twice = '@prompt(messages=[user("Say {{ text }}"), assistant("ok"), user("Say {{ text }}")])\n'
    assert refused(tmp_path, twice + "def say(text: str) -> str: return fill()\n").code == "patch-ambiguous"


def test_equal_texts_on_their_own_lines_are_told_apart(tmp_path: Path) -> None:
    twice = '@prompt(messages=[\n    user("Say {{ text }}"),\n    assistant("ok"),\n    user("Say {{ text }}"),\n])\n'
    module = project(tmp_path, twice + "def say(text: str) -> str: return fill()\n")
    patch = patch_of(module, "New {{ text }}", tmp_path, index=2)
    assert patch.new.decode().splitlines()[4] == '    user("New {{ text }}"),'
    assert patch.notes == ("the same text also stands at line 3, and stays as it is there",)


def test_a_docstring_with_the_same_text_is_not_taken_for_the_template(tmp_path: Path) -> None:
    body = '@prompt("Say {{ text }}")\ndef say(text: str) -> str:\n    "Say {{ text }}"\n    return fill()\n'
    module = project(tmp_path, body)
    (tmp_path / "chains.py").write_text("\n" + HEAD + body)
    assert patch_of(module, "New {{ text }}", tmp_path).line == 3


def test_a_file_that_is_gone_is_said_to_be(tmp_path: Path) -> None:
    module = project(tmp_path, SAY)
    (tmp_path / "chains.py").unlink()
    with pytest.raises(PatchError) as caught:
        patch_of(module, "New {{ text }}", tmp_path)
    assert caught.value.code == "patch-missing"


def test_no_file_outside_the_project_is_patched(tmp_path: Path) -> None:
    module = project(tmp_path / "other", SAY)
    for root in ("project", "other/deeper", "oth"):
        (tmp_path / root).mkdir(parents=True)
        with pytest.raises(PatchError) as caught:
            patch_of(module, "New {{ text }}", tmp_path / root)
        assert caught.value.code == "patch-outside"


@pytest.mark.parametrize("name", ["../chains.py", "inside/../../chains.py"])
def test_a_recorded_name_cannot_climb_out_of_the_project(name: str, tmp_path: Path) -> None:
    project(tmp_path, SAY)
    (tmp_path / "app").mkdir()
    source = SourceRef(file=name, line=2, patchable=True, text_hash=text_hash("Say {{ text }}"))
    with pytest.raises(PatchError) as caught:
        make_patch(source, "Say {{ text }}", "New {{ text }}", tmp_path / "app")
    assert caught.value.code == "patch-outside"


def test_a_link_that_leads_out_of_the_project_is_followed_and_refused(tmp_path: Path) -> None:
    project(tmp_path, SAY)
    (tmp_path / "app").mkdir()
    (tmp_path / "app" / "chains.py").symlink_to(tmp_path / "chains.py")
    source = SourceRef(file="chains.py", line=2, patchable=True, text_hash=text_hash("Say {{ text }}"))
    with pytest.raises(PatchError) as caught:
        make_patch(source, "Say {{ text }}", "New {{ text }}", tmp_path / "app")
    assert caught.value.code == "patch-outside"


def test_a_link_inside_the_project_patches_the_file_that_it_leads_to(tmp_path: Path) -> None:
    module = project(tmp_path / "app", SAY, "real.py")
    (tmp_path / "app" / "link.py").symlink_to(tmp_path / "app" / "real.py")
    source = source_of(module).model_copy(update={"file": "link.py"})
    patch = make_patch(source, "Say {{ text }}", "New {{ text }}", tmp_path / "app")
    assert patch.file == "real.py"


def test_an_installed_package_below_the_project_is_never_patched(tmp_path: Path) -> None:
    module = project(tmp_path, SAY, ".venv/lib/python3/site-packages/lib.py")
    with pytest.raises(PatchError) as caught:
        patch_of(module, "New {{ text }}", tmp_path)
    assert caught.value.code == "patch-outside"


@pytest.mark.parametrize("file", ["<ipython-input-3-abc>", "<stdin>", "/tmp/ipykernel_12/345.py", "notes.ipynb"])
def test_a_notebook_is_refused_as_one(file: str, tmp_path: Path) -> None:
    with pytest.raises(PatchError) as caught:
        make_patch(SourceRef(file=file, line=1, patchable=True), "a", "b", tmp_path)
    assert caught.value.code == "patch-notebook"


def test_a_prompt_given_to_python_as_a_string_is_refused_as_no_file() -> None:
    script = (
        f"{HEAD}{SAY}from pathlib import Path\nfrom chainlab.source.make import make_patch\n"
        "found = say.program().spec.steps[0].messages[0]\n"
        "try: make_patch(found.source, found.template, 'x', Path('.'))\nexcept Exception as error: print(error.code)\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "patch-notebook"


def test_a_changed_template_file_is_refused_with_its_first_changed_line(tmp_path: Path) -> None:
    (tmp_path / "say.j2").write_text("Say\n{{ text }}\n")
    module = project(tmp_path, '@prompt(file="say.j2")\ndef say(text: str) -> str: return fill()\n')
    (tmp_path / "say.j2").write_text("Say\nit: {{ text }}\n")
    with pytest.raises(PatchError) as caught:
        patch_of(module, "New {{ text }}", tmp_path)
    assert (caught.value.code, caught.value.got) == ("patch-changed", "line 2: it: {{ text }}")


def test_a_template_file_may_be_called_py(tmp_path: Path) -> None:
    (tmp_path / "form.py").write_text("def f(): {{ text }}\n")
    module = project(tmp_path, '@prompt(file="form.py")\ndef say(text: str) -> str: return fill()\n')
    assert patch_of(module, "def g(): {{ text }}\n", tmp_path).new == b"def g(): {{ text }}\n"


def test_an_edit_of_an_edit_replaces_what_the_file_holds(tmp_path: Path) -> None:
    module = project(tmp_path, SAY)
    patch = make_patch(source_of(module), "Edited {{ text }}", "Edited again {{ text }}", tmp_path)
    assert b'"Edited again {{ text }}"' in patch.new
    assert patch.notes == ("the file holds the text from before the earlier edits",)


def test_a_constant_that_others_use_says_so(tmp_path: Path) -> None:
    body = 'WORDS = "Say {{ text }}"\n' + (SAY + TELL.replace("Tell", "Say")).replace('"Say {{ text }}"', "WORDS")
    patch = patch_of(project(tmp_path, body), "New {{ text }}", tmp_path)
    assert patch.line == 2 and patch.notes == ("WORDS is used at lines 3, 5: the new text is for all of them",)


def test_a_constant_of_another_module_is_patched_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "wording_of_a_test.py").write_text('# the words\nSAY = "Say {{ text }}"\nTELL = "Tell {{ text }}"\n')
    body = (
        "import wording_of_a_test as words\nfrom wording_of_a_test import SAY as HERE\n"
        + SAY.replace('"Say {{ text }}"', "HERE")
        + TELL.replace('"Tell {{ text }}"', "words.TELL")
    )
    module = project(tmp_path, body)
    for name, line in (("say", 2), ("tell", 3)):
        patch = patch_of(module, "New {{ text }}", tmp_path, name)
        assert (patch.file, patch.line) == ("wording_of_a_test.py", line)


def test_a_name_of_the_function_hides_the_constant_of_the_module(tmp_path: Path) -> None:
    body = (
        'WORDS = "Say {{ text }}"\ndef make(WORDS):\n    @prompt(WORDS)\n'
        "    def say(text: str) -> str: return fill()\n    return say\nsay = make(WORDS)\n"
    )
    assert refused(tmp_path, body).code == "patch-computed"


def test_a_name_of_an_outer_class_does_not_hide_the_constant_of_the_module(tmp_path: Path) -> None:
    body = (
        'WORDS = "Say {{ text }}"\nclass Outer:\n    WORDS = "Not this"\n    class Inner:\n        @staticmethod\n'
        "        @prompt(WORDS)\n        def say(text: str) -> str: return fill()\nsay = Outer.Inner.say\n"
    )
    assert patch_of(project(tmp_path, body), "New {{ text }}", tmp_path).line == 2


def test_another_decorator_with_the_same_text_is_not_patched(tmp_path: Path) -> None:
    body = (
        "def noted(words): return lambda it: it\n"
        '@noted("Say {{ text }}")\n@prompt("Say {{ text }}")\ndef say(text: str) -> str: return fill()\n'
    )
    assert patch_of(project(tmp_path, body), "New {{ text }}", tmp_path).line == 4


def test_a_model_or_a_feedback_with_the_same_text_is_not_patched(tmp_path: Path) -> None:
    body = (
        '@prompt(\n    model="Say",\n    messages=[\n        system("Say"),\n        user("{{ text }}"),\n    ],\n'
        '    feedback="Say",\n)\ndef say(text: str) -> str: return fill()\n'
    )
    assert patch_of(project(tmp_path, body), "New", tmp_path).new.decode() == HEAD + body.replace(
        'system("Say")', 'system("New")'
    )


def test_patches_of_one_file_become_one(tmp_path: Path) -> None:
    module = project(tmp_path, SAY + TELL)
    patches = [patch_of(module, "One\n{{ text }}", tmp_path), patch_of(module, "Two {{ text }}", tmp_path, "tell")]
    (merged,) = merge_patches([*patches, patches[0]])
    assert merged.new.decode() == HEAD + SAY.replace('"Say {{ text }}"', '"""One\n{{ text }}"""') + TELL.replace(
        "Tell", "Two"
    )


def test_two_texts_for_one_place_do_not_fit_together(tmp_path: Path) -> None:
    module = project(tmp_path, SAY)
    with pytest.raises(PatchError) as caught:
        merge_patches([patch_of(module, text, tmp_path) for text in ("One {{ text }}", "Two {{ text }}")])
    assert caught.value.code == "patch-conflict"


def test_patches_of_two_states_of_a_file_do_not_fit_together(tmp_path: Path) -> None:
    module = project(tmp_path, SAY + TELL)
    first = patch_of(module, "One {{ text }}", tmp_path)
    (tmp_path / "chains.py").write_text(HEAD + SAY + TELL + "# more\n")
    with pytest.raises(PatchError) as caught:
        merge_patches([first, patch_of(module, "Two {{ text }}", tmp_path, "tell")])
    assert caught.value.code == "patch-conflict"


def test_the_text_of_a_template_file_is_the_same_on_every_machine(tmp_path: Path) -> None:
    (tmp_path / "say.j2").write_bytes(b"\xef\xbb\xbfSay\r\n{{ text }}\r\n")
    module = project(tmp_path, '@prompt(file="say.j2")\ndef say(text: str) -> str: return fill()\n')
    assert message(module).template == "Say\n{{ text }}\n"
