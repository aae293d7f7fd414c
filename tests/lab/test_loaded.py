"""A chain as JSON: exact round trip, a hash that is the same everywhere, and runs without the author's code."""

from __future__ import annotations

import json
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel

from chainlab import ChainError, Lab, Request, ScriptedBackend, chain, each, fill, load_chain, prompt, step
from chainlab.spec.chain import dump, load


class Topics(BaseModel):
    topics: list[str]


@prompt("Topics of {{ text }}", model="small", temperature=0.5)
def topics_of(text: str) -> Topics:
    return fill()


@prompt("About {{ topic }}: {{ text }}")
def about(topic: str, text: str) -> str:
    return fill()


@step
def count(texts: list[str]) -> int:
    return len(texts)


@chain
def notes(text: str, note: str = "none") -> tuple[list[str], str]:
    return each(topics_of(text).topics, lambda topic: about(topic, text)), note


@chain
def counted(text: str) -> int:
    return count(each(topics_of(text).topics, lambda topic: about(topic, text)))


def _reply(request: Request) -> Any:
    return {"topics": ["a", "b"]} if request.step == "topics_of" else request.messages[0]["content"]


def test_the_round_trip_is_exact() -> None:
    assert load(dump(notes.spec)) == notes.spec
    assert load(json.loads(dump(notes.spec))).hash == notes.spec.hash


def test_the_hash_does_not_depend_on_where_the_code_stands(tmp_path: Path) -> None:
    body = """
        from chainlab import chain, fill, prompt
        @prompt("Say {{ text }}")
        def say(text: str) -> str: return fill()
        @chain
        def one(text: str) -> str: return say(text)
        print(one.spec.hash.hex())
    """
    hashes = set()
    for number, blank in enumerate(("", "\n\n\n")):
        file = tmp_path / f"m{number}" / "chains.py"
        file.parent.mkdir()
        file.write_text(blank + textwrap.dedent(body))
        hashes.add(subprocess.run([sys.executable, str(file)], capture_output=True, text=True, check=True).stdout)
    assert len(hashes) == 1


def test_the_hash_changes_with_the_template() -> None:
    other = load(dump(notes.spec).replace("Topics of", "The topics of"))
    assert other.hash != notes.spec.hash


def test_a_chain_of_prompts_runs_from_json_in_a_process_without_its_code(tmp_path: Path) -> None:
    file = tmp_path / "notes.json"
    file.write_text(dump(notes.spec))
    script = f"""
        import sys
        from chainlab import Lab, ScriptedBackend, load_chain
        def reply(request):
            return {{"topics": ["a", "b"]}} if request.step == "topics_of" else request.messages[0]["content"]
        with Lab.open({str(tmp_path / "t.db")!r}, default_model=ScriptedBackend(reply)):
            print(load_chain(open({str(file)!r}).read()).run_sync(text="t").output)
    """
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(script)], capture_output=True, text=True, check=True, cwd=tmp_path
    )
    assert done.stdout.strip() == "[['About a: t', 'About b: t'], 'none']"


def test_outputs_of_a_loaded_chain_are_held_to_the_stored_schema(tmp_path: Path) -> None:
    with Lab.open(tmp_path / "t.db", default_model=ScriptedBackend(lambda r: '{"topics": "no list"}')):
        run = load_chain(notes.spec).run_sync(text="t")
    assert run.failure is not None and run.failure.error.code == "output-invalid"


def test_inputs_of_a_loaded_chain_are_held_to_the_stored_schema(tmp_path: Path) -> None:
    with Lab.open(tmp_path / "t.db", default_model=ScriptedBackend(_reply)) as lab:
        with pytest.raises(ChainError, match="run-input"):
            load_chain(notes.spec).run_sync(text=3)
        assert lab.reader.runs() == ()


def test_a_python_step_without_its_function_is_refused_before_anything_is_written(tmp_path: Path) -> None:
    with Lab.open(tmp_path / "t.db", default_model=ScriptedBackend(_reply)) as lab:
        with pytest.raises(ChainError) as caught:
            load_chain(dump(counted.spec)).run_sync(text="t")
        assert lab.reader.runs() == ()
    assert caught.value.code == "no-code"
    assert "count" in str(caught.value)


def _changed(change: Any) -> Any:
    data = json.loads(dump(notes.spec))
    change(data)
    return data


def _dangle(data: Any) -> None:
    data["steps"][0]["args"]["text"]["name"] = "txt"


def _circle(data: Any) -> None:
    each_step = data["steps"][1]
    data["steps"][0]["args"]["text"] = {"kind": "ref", "of": "step", "name": each_step["name"], "path": [0]}


def _bad_template(data: Any) -> None:
    data["steps"][0]["messages"][0]["template"] = "{{ txt }}"


def _bad_field(data: Any) -> None:
    data["steps"][1]["items"]["path"] = ["topic"]


@pytest.mark.parametrize(
    ("change", "code", "hint"),
    [
        (_dangle, "dangling-ref", "did you mean 'text'"),
        (_circle, "cycle", "->"),
        (_bad_template, "template-variable", "text"),
        (_bad_field, "unknown-field", "did you mean 'topics'"),
        (lambda data: data.pop("steps"), "bad-spec", "steps"),
    ],
)
def test_a_wrong_spec_is_refused_with_the_same_messages_as_a_declaration(change: Any, code: str, hint: str) -> None:
    with pytest.raises(ChainError) as caught:
        load_chain(_changed(change))
    assert caught.value.code == code
    assert hint in str(caught.value)


def test_the_drawing_needs_no_run() -> None:
    text = notes.mermaid()
    assert text.startswith("flowchart TD")
    assert "s_topics_95_of" in text or "topics_of" in text


def test_two_open_labs_ask_which(tmp_path: Path) -> None:
    from chainlab import ConfigError

    one = Lab.open(tmp_path / "a.db", default_model=ScriptedBackend(_reply))
    assert notes.run_sync("t").status == "ok"
    two = Lab.open(tmp_path / "b.db", default_model=ScriptedBackend(_reply))
    with pytest.raises(ConfigError, match="lab.run_sync"):
        notes.run_sync("t")
    with two:
        assert notes.run_sync("t").status == "ok"
    one.close()


def test_run_sync_works_inside_a_running_loop(tmp_path: Path) -> None:
    import asyncio

    async def main() -> str:
        with Lab.open(tmp_path / "t.db", default_model=ScriptedBackend(_reply)) as lab:
            return lab.run_sync(notes, "t").status

    assert asyncio.run(main()) == "ok"
