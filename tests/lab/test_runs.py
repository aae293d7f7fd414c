"""Runs after the fact: found again by id, prefix or `last`, and read after their lab is closed."""

from __future__ import annotations

from pathlib import Path

import pytest

from chainlab import Lab, RunFailed, ScriptedBackend, StoreError, fill, prompt, step
from chainlab.errors import ErrorInfo


@prompt("say {{ text }}")
def say(text: str) -> str:
    return fill()


def test_steps_can_be_read_after_the_lab_is_closed(tmp_path: Path) -> None:
    with Lab.open(tmp_path / "t.db", default_model=ScriptedBackend(lambda r: "x")):
        run = say.run_sync("a")
    assert run.steps["say"].output == "x"


def test_a_closed_lab_runs_nothing(tmp_path: Path) -> None:
    lab = Lab.open(tmp_path / "t.db", default_model=ScriptedBackend(lambda r: "x"))
    lab.close()
    with pytest.raises(StoreError, match="this lab is closed"):
        lab.run_sync(say, "a")


def test_a_recorded_run_is_found_by_id_prefix_and_last(tmp_path: Path) -> None:
    def reply(request: object) -> object:
        return RuntimeError("no") if "say b" in str(request) else "x"

    with Lab.open(tmp_path / "t.db", default_model=ScriptedBackend(reply)) as lab:
        good = say.run_sync("a")
        bad = say.run_sync("b")
        assert lab.get(good.id).output == "x"
        assert lab.get("last").id == lab.get("last-failed").id == bad.id
        with pytest.raises(RunFailed, match="RuntimeError"):
            lab.get(bad.id).raise_for_status()
        assert [run.id for run in lab.runs()] == [bad.id, good.id]
        assert [run.id for run in lab.runs(status="ok")] == [good.id]
        with pytest.raises(StoreError, match="no run 'zzz'"):
            lab.get("zzz")


@prompt("count {{ text }}", retries=0)
def count(text: str) -> int:
    return fill()


@step
def wordy(text: str) -> str:
    raise ValueError("\n".join(f"line {number} of a long story: {text * 200}" for number in range(60)))


def test_a_failure_is_told_in_ten_lines_or_fewer_whatever_was_raised(tmp_path: Path) -> None:
    with Lab.open(tmp_path / "t.db", default_model=ScriptedBackend(lambda r: "x")) as lab:
        run = wordy.run_sync("a")
        with pytest.raises(RunFailed) as caught:
            _ = run.output
        said = str(caught.value)
        assert len(said.splitlines()) <= 10 and max(map(len, said.splitlines())) < 1000
        assert "line 0 of a long story" in said and "(and 57 more lines)" in said
        error = lab.reader.trace(run.id).run.error  # type: ignore[union-attr]  # it is there
        assert error is not None and "line 1 of a long story" in error.message


def test_a_recorded_failure_says_as_much_as_it_did_when_it_happened(tmp_path: Path) -> None:
    with Lab.open(tmp_path / "t.db", default_model=ScriptedBackend(lambda r: "many")) as lab:
        run = count.run_sync("a")
        with pytest.raises(RunFailed) as then:
            run.raise_for_status()
        with pytest.raises(RunFailed) as later:
            lab.get(run.id).raise_for_status()
        assert str(later.value) == str(then.value)
        assert (later.value.expected, later.value.got, later.value.attempt) == ("int", "'many'", 1)
        assert later.value.file == __file__ and later.value.line
        error = lab.get(run.id).steps["count"].error
        assert error is not None and error.expected == "int"


@pytest.mark.parametrize(
    "error",
    [
        ErrorInfo("x", "what"),
        ErrorInfo("x", "what\nin two lines", expected="a", got="b\nc", remedy="d"),
        ErrorInfo("x", "", remedy="d"),
        ErrorInfo("x", "what", got="b"),
    ],
)
def test_the_text_of_an_error_can_be_read_back(error: ErrorInfo) -> None:
    assert ErrorInfo.parsed("x", error.text) == error
