"""Runs after the fact: found again by id, prefix or `last`, and read after their lab is closed."""

from __future__ import annotations

from pathlib import Path

import pytest

from chainlab import Lab, RunFailed, ScriptedBackend, StoreError, fill, prompt


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
