"""What a page is told of errors: no path of this machine, no secret, no endless word."""

from __future__ import annotations

from pathlib import Path

import pytest

from chainlab.inspector.told import LONGEST, Teller


@pytest.fixture
def teller(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Teller:
    monkeypatch.setattr(Path, "home", lambda: Path("/people/ann"))
    monkeypatch.chdir(tmp_path)
    places = {
        Path("/people/ann/jobs/brief"): ".",
        Path("/data/traces"): "(the database's folder)",
        Path("/"): "nowhere",
    }
    return Teller(places, ["a-secret-value"])


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ("looked for /people/ann/jobs/brief/own.gguf", "looked for ./own.gguf"),
        ("/people/ann/jobs/brief-2/own.gguf", "~/jobs/brief-2/own.gguf"),
        ("mkdir -p /data/traces, or", "mkdir -p (the database's folder), or"),
        ("/people/anna/x and /people/ann", "/people/anna/x and ~"),
        ("the key a-secret-value is wrong", "the key [redacted] is wrong"),
        ("Authorization: Bearer abcdefghijkl", "Authorization: [redacted]"),
        ("a/b and /api/runs", "a/b and /api/runs"),
    ],
)
def test_paths_and_secrets_are_taken_out(teller: Teller, words: str, told: str) -> None:
    assert teller.text(words) == told


def test_the_working_folder_is_no_news(teller: Teller, tmp_path: Path) -> None:
    assert teller.text(f"no file {tmp_path}/chainlab.toml") == "no file ./chainlab.toml"


def test_an_endless_word_is_cut(teller: Teller) -> None:
    assert len(teller.text("x" * 10 * LONGEST)) == LONGEST + 1
