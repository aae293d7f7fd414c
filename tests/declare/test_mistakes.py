"""Every file in mistakes/ holds one mistake: its declaration gives one good ChainError and costs no model call.

The first line of each file says what to expect:

    # expect: code=<code> line=<here or a number> [file=<name>] [python=<3.12] hint=<text> | <text> ...

`line=here` is a line that ends with `<- here` (several: any of them). `file=` names the template file that holds the
mistake, if it is not the Python file. Every hint must stand in the error's text, in any case.
"""

from __future__ import annotations

import json
import re
import runpy
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel

from chainlab import ChainError, Lab, ScriptedBackend, chain, fill, prompt, step

MISTAKES = Path(__file__).parent / "mistakes"
_EXPECT = re.compile(
    r"# expect: code=(?P<code>[a-z-]+) line=(?P<line>here|\d+)"
    r"(?: file=(?P<file>\S+))?(?: python=<(?P<python>[\d.]+))? hint=(?P<hints>.+)"
)


@dataclass(frozen=True)
class Expectation:
    """What one file must give."""

    code: str
    file: Path
    lines: frozenset[int]
    hints: tuple[str, ...]
    before: tuple[int, ...] | None


def expectation_of(path: Path) -> Expectation:
    """The first line of a mistake file, read."""
    first = path.read_text().splitlines()[0]
    match = _EXPECT.fullmatch(first)
    assert match, f"{path.name}: the first line is no expectation: {first}"
    file = path.with_name(match["file"]) if match["file"] else path
    if match["line"] == "here":
        lines = {number for number, line in enumerate(file.read_text().splitlines(), 1) if "<- here" in line}
    else:
        lines = {int(match["line"])}
    assert lines, f"{path.name}: no line of {file.name} says '<- here'"
    before = tuple(map(int, match["python"].split("."))) if match["python"] else None
    hints = tuple(hint.strip() for hint in match["hints"].split(" | "))
    return Expectation(match["code"], file, frozenset(lines), hints, before)


def _files() -> list[Path]:
    def applies(path: Path) -> bool:
        before = expectation_of(path).before
        return before is None or sys.version_info < before

    return [path for path in sorted(MISTAKES.glob("*.py")) if applies(path)]


FILES = _files()


def _name(path: Path) -> str:
    return path.stem


def _refusal(path: Path) -> ChainError:
    with pytest.raises(ChainError) as caught:
        runpy.run_path(str(path), run_name=f"mistake_{path.stem}")
    return caught.value


@pytest.mark.parametrize("path", FILES, ids=_name)
def test_a_mistake_is_refused_with_its_place_and_a_remedy(path: Path) -> None:
    expected = expectation_of(path)
    error = _refusal(path)
    text = str(error)
    assert error.code == expected.code, text
    assert error.file is not None and Path(error.file).resolve() == expected.file.resolve(), text
    assert error.line in expected.lines, f"expected line {sorted(expected.lines)}\n{text}"
    missing = [hint for hint in expected.hints if hint.lower() not in text.lower()]
    assert not missing, f"the message lacks {missing}\n{text}"
    assert error.remedy.strip(), text


@pytest.mark.parametrize("path", FILES, ids=_name)
def test_a_mistake_is_told_in_ten_lines_or_fewer(path: Path) -> None:
    text = str(_refusal(path))
    assert len(text.splitlines()) <= 10, text
    assert "Traceback" not in text
    assert "/chainlab/declare/" not in text, "a framework file is no place of the author's"
    assert " object at 0x" not in text


@pytest.mark.parametrize("path", FILES, ids=_name)
def test_a_mistake_names_its_step_and_says_what_was_expected_and_what_came(path: Path) -> None:
    error = _refusal(path)
    assert error.step and error.expected and error.got, str(error)


def test_the_catalogue_covers_every_code() -> None:
    codes = {expectation_of(path).code for path in MISTAKES.glob("*.py")}
    assert codes == {
        *("template-variable", "template-path", "unused-parameter", "template-syntax", "template-tag"),
        *("template-filter", "template-file", "wrong-type", "unknown-field", "missing-argument", "extra-argument"),
        *("ref-bool", "ref-iter", "ref-len", "ref-contains", "ref-str", "ref-operator", "ref-slice", "ref-index"),
        *("ref-hash", "ref-pickle", "ref-identity", "use-make", "ref-leak", "each-body", "route-not-exhaustive"),
        *("route-label", "dead-prompt", "unused-input", "wrong-place", "chain-output", "missing-annotation"),
        *("duplicate-name", "no-schema", "bad-parameter", "bad-option", "bad-iterable", "bad-condition"),
        *("recursive-chain", "bad-image", "bad-result"),
    }
    assert len(FILES) >= 75


_ALL = """
import json, runpy, sys
from pathlib import Path
from chainlab import ChainError

codes = []
for path in sorted(Path(sys.argv[1]).glob("*.py")):
    try:
        runpy.run_path(str(path), run_name=f"mistake_{path.stem}")
    except ChainError as error:
        codes.append(error.code)
print(json.dumps([len(codes), sorted(set(sys.argv[2:]) & sys.modules.keys())]))
"""


def test_no_mistake_costs_a_model_call(tmp_path: Path) -> None:
    backends = ["httpx", "xllamacpp", "chainlab.engine", "chainlab.lab.lab", "sqlalchemy", "networkx"]
    done = subprocess.run(
        [sys.executable, "-c", _ALL, str(MISTAKES), *backends],
        cwd=tmp_path, capture_output=True, text=True, check=True, timeout=100,
    )  # fmt: skip
    refused, loaded = json.loads(done.stdout.splitlines()[-1])
    assert refused >= len(FILES)
    assert loaded == []
    assert list(tmp_path.iterdir()) == [], "a declaration writes no file"


# Mistakes that only a call shows: refused before a row is written or a model called.


class Order(BaseModel):
    number: int
    items: list[str]


@prompt("Say {{ text }} {{ times }} times.")
def say(text: str, times: int = 1) -> str:
    return fill()


@prompt("Thank for {{ order.number }}.")
def thank(order: Order) -> str:
    return fill()


@step
def shout(text: str, times: int = 1) -> str:
    return text.upper() * times


@chain
def talk(text: str, times: int = 1) -> str:
    return shout(say(text, times))


@pytest.fixture
def backend() -> ScriptedBackend:
    return ScriptedBackend(lambda request: "hello")


@pytest.fixture
def lab(tmp_path: Path, backend: ScriptedBackend) -> Iterator[Lab]:
    with Lab.open(tmp_path / "traces.db", default_model=backend) as opened:
        yield opened


WRONG: dict[str, tuple[tuple[Any, ...], dict[str, Any], str]] = {
    "missing": ((), {}, "text"),
    "misnamed": (("hi",), {"tims": 2}, "times"),
    "too many": (("hi", 2, 3), {}, "argument"),
    "wrong type": ((3,), {}, "text"),
    "wrong type by name": ((), {"text": "hi", "times": "often"}, "times"),
    "none": ((None,), {}, "text"),
    "unknown": (("hi",), {"model": "big"}, "model"),
}


@pytest.mark.parametrize("what", [say, shout, talk], ids=["prompt", "step", "chain"])
@pytest.mark.parametrize("wrong", WRONG)
def test_wrong_inputs_of_run_sync_are_refused_before_a_row(
    lab: Lab, backend: ScriptedBackend, what: Any, wrong: str
) -> None:
    args, kwargs, hint = WRONG[wrong]
    with pytest.raises(ChainError) as caught:
        what.run_sync(*args, **kwargs)
    text = str(caught.value)
    assert caught.value.code == "run-input", text
    assert hint in text
    assert caught.value.remedy
    assert len(text.splitlines()) <= 10
    assert "<class" not in text
    assert caught.value.file == __file__, text
    assert not lab.runs()
    assert backend.requests == []


async def test_wrong_inputs_of_run_and_stream_are_refused_before_a_row(lab: Lab, backend: ScriptedBackend) -> None:
    with pytest.raises(ChainError) as caught:
        await talk.run(text=3)  # type: ignore[arg-type]
    assert caught.value.code == "run-input"
    with pytest.raises(ChainError) as caught:
        async for _ in talk.stream(txt="hi"):  # type: ignore[call-arg]
            pass
    assert caught.value.code == "run-input"
    assert not lab.runs()
    assert backend.requests == []


def test_a_wrong_field_inside_an_input_is_named(lab: Lab) -> None:
    with pytest.raises(ChainError) as caught:
        thank.run_sync({"number": 1, "items": [2]})  # type: ignore[arg-type]
    assert caught.value.code == "run-input"
    assert "items[0]" in str(caught.value)
    assert not lab.runs()


def test_a_step_called_outside_a_chain_is_refused_even_in_an_open_lab(lab: Lab, backend: ScriptedBackend) -> None:
    for what in (say, shout, talk):
        with pytest.raises(ChainError) as caught:
            what("hi")
        assert caught.value.code == "wrong-place"
        assert "run_sync" in str(caught.value)
    assert shout.fn("hi") == "HI"
    assert not lab.runs()
    assert backend.requests == []


def test_right_inputs_run(lab: Lab) -> None:
    assert talk.run_sync("hi", times=2).output == "HELLO"
    assert len(lab.runs()) == 1
