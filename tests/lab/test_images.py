"""Pictures as inputs: read once, stored by hash, placed by a template, sent in the form of the backend."""

from __future__ import annotations

import base64
import json
import sqlite3
import struct
import zlib
from contextlib import closing
from pathlib import Path
from typing import Any

import httpx
import pytest
from pydantic import BaseModel

from chainlab import ChainError, Image, Lab, ScriptedBackend, chain, each, fill, prompt
from chainlab.backends.chat import ServerSettings
from chainlab.backends.openai import OpenAIBackend
from chainlab.values.pictures import MOST_BYTES
from tests.cli.conftest import Project, make_project, stub
from tests.faults.clock import on_a_leaping_clock

__all__ = ["stub"]


def png(red: int = 255, pad: int = 0) -> bytes:
    """A picture of one pixel. `pad`: more bytes in it, which mean nothing."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = chunk(b"IHDR", struct.pack(">IIBBBBB", 1, 1, 8, 2, 0, 0, 0))
    text = chunk(b"tEXt", b"x" * pad) if pad else b""
    return (
        b"\x89PNG\r\n\x1a\n" + head + text + chunk(b"IDAT", zlib.compress(bytes([0, red, 0, 0]))) + chunk(b"IEND", b"")
    )


@prompt("What is on {{ photo }}? In {{ words }} words.", system="Be exact.")
def describe(photo: Image, words: int) -> str:
    return fill()


@chain
def caption(photo: Image, words: int = 5) -> str:
    return describe(photo, words)


@chain
def captions(photos: list[Image]) -> list[str]:
    return each(photos, lambda photo: describe(photo, 5))


class Album(BaseModel):
    title: str
    photos: list[Image]


@prompt("{{ album.title }}: {% for photo in album.photos %}{{ loop.index }} {{ photo }}{% endfor %}")
def describe_all(album: Album) -> str:
    return fill()


def test_a_picture_is_a_part_of_the_message_between_its_texts(tmp_path: Path) -> None:
    backend = ScriptedBackend(lambda request: "a red pixel")
    with Lab.open(tmp_path / "t.db", default_model=backend) as lab:
        run = lab.run_sync(caption, photo=Image(data=png()))
        assert run.output == "a red pixel"
    before, picture, after = backend.requests[0].messages[1]["content"]
    assert (before, after) == ({"type": "text", "text": "What is on "}, {"type": "text", "text": "? In 5 words."})
    assert (picture["type"], picture["media_type"]) == ("image", "image/png")
    assert base64.b64decode(picture["data"]) == png()


def test_pictures_in_a_model_in_a_loop(tmp_path: Path) -> None:
    backend = ScriptedBackend(lambda request: "two")
    album = Album(title="Sea", photos=[Image(data=png(1)), Image(url="https://pictures.test/b.png")])
    with Lab.open(tmp_path / "t.db", default_model=backend) as lab:
        lab.run_sync(describe_all, album=album).raise_for_status()
    parts = backend.requests[0].messages[0]["content"]
    assert [part.get("text", part.get("url") or "data") for part in parts] == [
        "Sea: 1 ", "data", "2 ", "https://pictures.test/b.png",
    ]  # fmt: skip


def test_the_bytes_are_stored_once_and_the_trace_shows_where_it_was(tmp_path: Path) -> None:
    large = png(pad=100_000)
    with Lab.open(tmp_path / "t.db", default_model=ScriptedBackend(lambda request: "x")) as lab:
        for _ in range(3):
            lab.run_sync(captions, photos=[Image(data=large)] * 3).raise_for_status()
        run = lab.run_sync(caption, photo=Image(data=large))
        step = lab.reader.step(run.id, "describe")
        assert step is not None
        message = step.attempts[0].messages[1]
        assert len(json.dumps([str(part) for part in message.segments])) < 2_000
    with closing(sqlite3.connect(tmp_path / "t.db")) as database:
        (stored,) = database.execute("SELECT sum(length(body)) FROM payloads").fetchone()
    as_base64 = len(large) * 4 / 3
    assert stored < 4.1 * as_base64  # once as a picture, once in the list of three; never in a request


def test_a_replay_sends_the_same_picture(tmp_path: Path) -> None:
    backend = ScriptedBackend(lambda request: "x")
    with Lab.open(tmp_path / "t.db", default_model=backend) as lab:
        run = lab.run_sync(caption, photo=Image(data=png()))
        lab.replay_sync(run.id, scope="all").raise_for_status()
    first, second = (request.messages for request in backend.requests)
    assert first == second


@pytest.mark.parametrize(
    ("image", "part"),
    [
        (Image(data=png()), "data:image/png;base64," + base64.b64encode(png()).decode()),
        (Image(url="https://pictures.test/a.png"), "https://pictures.test/a.png"),
    ],
    ids=["data", "url"],
)
def test_openai_has_its_form(image: Image, part: str, tmp_path: Path) -> None:
    bodies: list[Any] = []

    def answer(request: httpx.Request) -> httpx.Response:
        bodies.append(json.loads(request.content))
        choice = {"index": 0, "message": {"role": "assistant", "content": "x"}, "finish_reason": "stop"}
        return httpx.Response(200, json={"model": "m", "choices": [choice]})

    async def work() -> None:
        settings = ServerSettings("http://models.test/v1", "hosted", default_model="m")
        backend = OpenAIBackend(settings, transport=httpx.MockTransport(answer))
        async with Lab.open(tmp_path / "t.db", default_model=backend) as lab:
            (await lab.run(caption, photo=image)).raise_for_status()

    on_a_leaping_clock(work())
    assert bodies[0]["messages"][1]["content"][1] == {"type": "image_url", "image_url": {"url": part}}


def test_what_is_no_picture(tmp_path: Path) -> None:
    (tmp_path / "text.png").write_text("not a picture")
    for given in (
        {"path": tmp_path / "text.png"}, {"path": tmp_path / "none.png"}, {"path": tmp_path}, {"data": b"GIF"},
        {"data": "%%%"}, {"url": "file:///etc/passwd"}, {"url": "javascript:alert(1)"}, {},
        {"data": png(), "url": "https://x.test"}, {"data": png(pad=MOST_BYTES)},
    ):  # fmt: skip
        with pytest.raises(ChainError) as refused:
            Image(**given)
        assert refused.value.code == "bad-image", given


@pytest.mark.parametrize(
    "given", [{"path": "/etc/passwd"}, {"url": "file:///etc/passwd"}, {"data": "aGk="}, {"data": 3}, {}]
)
def test_from_json_a_picture_never_is_a_file_of_this_machine(given: Any, tmp_path: Path) -> None:
    """What comes over HTTP, and from --input: a path there would read any file."""
    with Lab.open(tmp_path / "t.db", default_model=ScriptedBackend(lambda request: "x")) as lab:
        with pytest.raises(ChainError):
            lab.run_sync(caption, photo=given)
        assert list(lab.runs()) == []


CHAIN = """
from chainlab import Image, chain, fill, prompt

@prompt("What is on {{ photo }}?", model="words")
def describe(photo: Image) -> str: return fill()

@chain
def caption(photo: Image) -> str:
    return describe(photo)
"""


def test_on_the_command_line(tmp_path: Path, stub: Any) -> None:
    project: Project = make_project(tmp_path, stub)
    project.write("caption.py", CHAIN)
    (tmp_path / "a.png").write_bytes(png())
    for given in ("photo=@a.png", "photo=https://pictures.test/a.png"):
        said = project.run("run", "caption.py", given)
        assert said.code == 0, said.err
    for given, words in (("photo=@brief.py", "PNG"), ("photo=@none.png", "none.png"), ("photo=hello", "@")):
        said = project.run("run", "caption.py", given)
        assert said.code == 2 and words in said.err, said.err
    shown = project.run("show", "last", "describe")
    assert shown.code == 0, shown.err
    assert "https://pictures.test/a.png" in shown.out
