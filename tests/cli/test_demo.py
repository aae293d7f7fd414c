"""`chainlab demo` on the built-in model: states and rows, never words."""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from chainlab.cli.demo_chain import MOST_PARTS, MOST_WORDS, Digest, digest, split

pytestmark = pytest.mark.model


def demo(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    kept = {name: value for name, value in os.environ.items() if name not in ("CHAINLAB_DB", "NO_COLOR")}
    return subprocess.run(
        [sys.executable, "-P", "-m", "chainlab.cli.main", "demo", *arguments],
        cwd=folder,
        env={**kept, "CI": "1"},
        capture_output=True,
        text=True,
        timeout=500,
    )


def rows(folder: Path, query: str) -> list[tuple[str, ...]]:
    connection = sqlite3.connect(folder / ".chainlab" / "traces.db")
    try:
        return connection.execute(query).fetchall()
    finally:
        connection.close()


def test_the_demo_runs_and_every_step_is_in_the_database(tmp_path: Path) -> None:
    file = tmp_path / "text.txt"
    file.write_text("The baker mixes flour, water and salt. " * 60 + "Then the bread is baked for an hour. " * 10)
    done = demo(tmp_path, "--file", str(file))
    assert done.returncode == 0, done.stderr
    assert rows(tmp_path, "SELECT chain, status FROM runs") == [("digest", "ok")]
    steps = rows(tmp_path, "SELECT path, kind, status FROM steps ORDER BY sort")
    assert {status for _, _, status in steps} == {"ok"}
    assert [path for path, _, _ in steps] == ["split", "each", "summarise[0]", "summarise[1]", "make_card", "report"]
    run_id = rows(tmp_path, "SELECT id FROM runs")[0][0]
    assert f"/#/runs/{run_id}" in done.stdout
    shown = json.loads(
        subprocess.run(
            [sys.executable, "-P", "-m", "chainlab.cli.main", "show", run_id, "--json"],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=True,
        ).stdout
    )
    assert Digest.model_validate(shown["output"]).parts == 2


def test_the_demo_chain_has_four_steps_a_fan_out_and_a_typed_result() -> None:
    kinds = [step.kind for step in digest.spec.steps]
    assert len(kinds) >= 4
    assert "each" in kinds
    assert digest.spec.output_schema["title"] == "Digest"


def test_the_built_in_text_is_read_whole() -> None:
    from chainlab.cli import demo_chain

    text = Path(demo_chain.__file__).with_name("demo.txt").read_text(encoding="utf-8")
    parts = split.fn(text)
    assert 600 <= len(text.split()) <= 1200
    assert (len(parts.parts), parts.words_left_out) == (3, 0)


def test_a_long_text_is_cut_and_what_was_left_out_is_counted() -> None:
    parts = split.fn("word " * 5000)
    assert len(parts.parts) == MOST_PARTS
    assert all(len(part.split()) <= MOST_WORDS for part in parts.parts)
    assert parts.words_read + parts.words_left_out == 5000
    assert parts.words_left_out == 5000 - MOST_PARTS * MOST_WORDS


@pytest.mark.parametrize("text", ["1234567890 " * 1000, "x" * 100_000, "红楼梦" * 5000], ids=["numbers", "line", "han"])
def test_dense_text_gives_parts_that_still_fit_the_models_context(text: str) -> None:
    parts = split.fn(text)
    assert len(parts.parts) == MOST_PARTS
    assert all(len(part.encode()) <= 2 * 1600 + MOST_WORDS for part in parts.parts)
    assert parts.words_left_out > 0


@pytest.mark.parametrize(("content", "words"), [(b"", "holds no words"), (b"\xff\xfe", "not UTF-8")])
def test_a_file_without_text_is_refused(tmp_path: Path, content: bytes, words: str) -> None:
    (tmp_path / "in.txt").write_bytes(content)
    done = demo(tmp_path, "--file", "in.txt")
    assert done.returncode == 2
    assert words in done.stderr
    assert demo(tmp_path, "--file", "none.txt").returncode == 2
