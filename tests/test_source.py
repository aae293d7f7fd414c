"""Where things stand in an author's file, and what is said when the source is not there."""

from __future__ import annotations

import subprocess
import sys
import textwrap
import zipfile
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from chainlab import ChainError

HEAD = "from chainlab import chain, each, fill, prompt, step, system, user\n"


def load(folder: Path, body: str, name: str = "chains") -> ModuleType:
    """Import a file written here."""
    file = folder / f"{name}.py"
    file.write_text(HEAD + textwrap.dedent(body))
    module = ModuleType(f"source_{folder.name}_{name}")
    module.__file__ = str(file)
    sys.modules[module.__name__] = module
    exec(compile(file.read_text(), str(file), "exec"), module.__dict__)
    return module


def place(module: ModuleType, name: str = "say") -> Any:
    """The source of a prompt's first message."""
    return getattr(module, name).program().spec.steps[0].messages[0].source


def refused(folder: Path, body: str) -> ChainError:
    """The error of a wrong file."""
    with pytest.raises(ChainError) as caught:
        load(folder, body)
    return caught.value


def test_a_literal_stands_on_its_own_line(tmp_path: Path) -> None:
    module = load(
        tmp_path,
        """
        @prompt(
            "Say {{ text }}",
            model="x",
        )
        def say(text: str) -> str: return fill()
        """,
    )
    assert (place(module).line, place(module).patchable) == (4, True)


def test_a_triple_quoted_literal_gives_the_inner_line_of_a_mistake(tmp_path: Path) -> None:
    error = refused(
        tmp_path,
        '''
        @prompt("""Say

        {{ txt }}
        """)
        def say(text: str) -> str: return fill()
        ''',
    )
    assert (error.code, error.line) == ("template-variable", 5)


def test_a_joined_first_line_is_counted(tmp_path: Path) -> None:
    error = refused(
        tmp_path,
        '''
        @prompt("""\\
        Say

        {{ txt }}
        """)
        def say(text: str) -> str: return fill()
        ''',
    )
    assert (error.line, "of the template" in str(error)) == (6, False)


def test_escaped_line_ends_in_a_triple_quoted_literal_are_no_lines_of_the_file(tmp_path: Path) -> None:
    error = refused(
        tmp_path,
        '''
        @prompt("""Say\\n\\n{{ txt }}
        """)
        def say(text: str) -> str: return fill()
        ''',
    )
    assert error.line == 3
    assert "line 3 of the template" in str(error)


def test_equal_texts_of_one_prompt_have_places_of_their_own(tmp_path: Path) -> None:
    module = load(
        tmp_path,
        """
        @prompt(messages=[
            user("Say {{ text }}"),
            user("Say {{ text }}"),
        ])
        def say(text: str) -> str: return fill()
        """,
    )
    messages = module.say.program().spec.steps[0].messages
    assert [message.source.line for message in messages] == [4, 5]


def test_a_file_that_was_changed_and_declared_again_is_read_again(tmp_path: Path) -> None:
    body = """
        @prompt("Say {{ text }}")
        def say(text: str) -> str: return fill()
        """
    load(tmp_path, body)
    assert place(load(tmp_path, body.replace("Say", "Please tell"))).patchable


def test_a_module_constant_is_found_and_patchable(tmp_path: Path) -> None:
    module = load(
        tmp_path,
        """
        SAY = "Say {{ text }}"

        @prompt(SAY)
        def say(text: str) -> str: return fill()
        """,
    )
    assert (place(module).line, place(module).patchable) == (3, True)


def test_implicit_concatenation_says_the_line_of_the_template(tmp_path: Path) -> None:
    error = refused(
        tmp_path,
        """
        @prompt(
            "Say\\n"
            "{{ txt }}"
        )
        def say(text: str) -> str: return fill()
        """,
    )
    assert error.line == 4
    assert "line 2 of the template" in str(error)


def test_a_computed_template_is_not_patchable(tmp_path: Path) -> None:
    module = load(
        tmp_path,
        """
        @prompt("Say " + "{{ text }}")
        def say(text: str) -> str: return fill()
        """,
    )
    assert (place(module).line, place(module).patchable) == (3, False)


def test_messages_have_places_of_their_own(tmp_path: Path) -> None:
    module = load(
        tmp_path,
        """
        @prompt(messages=[
            system("Be brief."),
            user("Say {{ text }}"),
        ])
        def say(text: str) -> str: return fill()
        """,
    )
    messages = module.say.program().spec.steps[0].messages
    assert [message.source.line for message in messages] == [4, 5]


def test_a_template_file_is_read_beside_the_module_and_its_own_line_is_said(tmp_path: Path) -> None:
    (tmp_path / "say.j2").write_text("Say\n\n{{ txt }}\n")
    error = refused(
        tmp_path,
        """
        @prompt(file="say.j2")
        def say(text: str) -> str: return fill()
        """,
    )
    assert (error.file, error.line) == (str(tmp_path / "say.j2"), 3)


def test_a_wrong_call_in_a_lambda_of_several_lines_is_placed_at_the_call(tmp_path: Path) -> None:
    error = refused(
        tmp_path,
        """
        @prompt("Say {{ text }}")
        def say(text: str) -> str: return fill()
        @chain
        def all_of(texts: list[str]) -> list[str]:
            return each(
                texts,
                lambda text: say(
                    txt=text,
                ),
            )
        """,
    )
    assert (error.code, error.line) == ("extra-argument", 9)


def test_without_source_lines_are_right_and_nothing_raises() -> None:
    script = HEAD + textwrap.dedent(
        """
        @prompt("Say {{ text }}")
        def say(text: str) -> str: return fill()
        @chain
        def one(text: str) -> str: return say(text)
        source = one.spec.steps[0].messages[0].source
        print(source.line, source.patchable)
        try:
            @chain
            def two(text: str) -> str:
                return say(txt=text)
        except Exception as error:
            print(error.line)
        """
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["3", "False", "12"]


def test_chains_and_template_files_inside_a_zip_work(tmp_path: Path) -> None:
    archive = tmp_path / "app.zip"
    with zipfile.ZipFile(archive, "w") as packed:
        packed.writestr(
            "zipped.py",
            HEAD
            + '@prompt(file="say.j2")\ndef say(text: str) -> str: return fill()\n'
            + "@chain\ndef one(text: str) -> str: return say(text)\n",
        )
        packed.writestr("say.j2", "Say {{ text }}")
    script = (
        f"import sys; sys.path.insert(0, {str(archive)!r}); import zipped\n"
        "message = zipped.one.spec.steps[0].messages[0]; print(message.template, message.source.patchable)"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "Say {{ text }} False"


def test_models_that_are_local_to_a_function_resolve_under_postponed_annotations(tmp_path: Path) -> None:
    file = tmp_path / "local.py"
    file.write_text(
        textwrap.dedent(
            """
            from __future__ import annotations
            from pydantic import BaseModel
            from chainlab import chain, fill, prompt
            def build():
                class Note(BaseModel):
                    text: str
                @prompt("Note {{ text }}")
                def note(text: str) -> Note: return fill()
                @chain
                def one(text: str) -> Note: return note(text)
                return one
            print(build().spec.name)
            """
        )
    )
    done = subprocess.run([sys.executable, str(file)], capture_output=True, text=True)
    assert done.stdout.strip() == "one", done.stderr


def test_two_processes_of_optimised_python_see_the_same_lines(tmp_path: Path) -> None:
    file = tmp_path / "fast.py"
    file.write_text(
        HEAD + '@prompt("Say {{ text }}")\ndef say(text: str) -> str: return fill()\n'
        "print(say.program().spec.steps[0].messages[0].source.line)\n"
    )
    outs = {
        subprocess.run([sys.executable, flag, str(file)], capture_output=True, text=True, check=True).stdout
        for flag in ("-B", "-O", "-OO")
    }
    assert outs == {"2\n"}
