"""The backend whose replies are a Python function."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from pydantic import BaseModel, Field

from chainlab.backends.scripted import ScriptedBackend
from chainlab.errors import BackendError
from chainlab.messages import Chunk, Request, Response
from tests.patience import LIMIT_S

ASK = Request(step="draft", model="small", messages=[{"role": "user", "content": "hi"}])


class Note(BaseModel):
    text: str = Field(alias="Text")


def answered(reply: Any) -> Response:
    return asyncio.run(ScriptedBackend(lambda request: reply).send(ASK))


def failed(reply: Any) -> BackendError:
    with pytest.raises(BackendError) as caught:
        answered(reply)
    return caught.value


@pytest.mark.parametrize(
    ("reply", "text"),
    [
        ("hello", "hello"),
        ("", ""),
        (Note(Text="é"), '{"Text":"é"}'),
        ({"a": [1, None]}, '{"a":[1,null]}'),
        ([Note(Text="x")], '[{"Text":"x"}]'),
        (3, "3"),
        (True, "true"),
    ],
)
def test_a_reply_is_text_or_becomes_its_json(reply: Any, text: str) -> None:
    response = answered(reply)
    assert (response.text, response.finish_reason, response.tokens_in, response.tokens_out) == (
        text,
        "stop",
        None,
        None,
    )


def test_a_reply_may_be_async() -> None:
    async def reply(request: Request) -> str:
        await asyncio.sleep(0)
        return request.step

    assert asyncio.run(ScriptedBackend(reply).send(ASK)).text == "draft"


def test_requests_are_kept_in_order() -> None:
    backend = ScriptedBackend(lambda request: "x")
    other = ASK.model_copy(update={"step": "other"})

    async def both() -> None:
        await backend.send(ASK)
        await backend.send(other)

    asyncio.run(both())
    assert backend.requests == [ASK, other]


def test_a_backend_error_comes_out_as_it_is() -> None:
    error = BackendError("busy", code="rate-limited", retryable=True)
    assert failed(error) is error

    def raising(request: Request) -> str:
        raise error

    with pytest.raises(BackendError) as caught:
        asyncio.run(ScriptedBackend(raising).send(ASK))
    assert caught.value is error


def test_any_other_exception_becomes_a_scripted_error() -> None:
    assert (failed(KeyError("x")).code, failed(KeyError("x")).retryable) == ("scripted", False)

    async def raising(request: Request) -> str:
        raise ValueError("no")

    with pytest.raises(BackendError, match="ValueError: no") as caught:
        asyncio.run(ScriptedBackend(raising).send(ASK))
    assert caught.value.code == "scripted"


def test_a_forgotten_return_and_a_reply_that_is_not_json_are_said() -> None:
    assert "returned None" in failed(None).message
    assert "not JSON" in failed(object()).message
    assert failed(object()).remedy


def test_text_is_streamed_in_one_chunk() -> None:
    chunks: list[Chunk] = []
    asyncio.run(ScriptedBackend(lambda request: "hello").send(ASK, chunks.append))
    assert chunks == [Chunk("hello")]


def test_a_thousand_replies_wait_at_the_same_time() -> None:
    waiting = 0
    all_wait = asyncio.Event()

    async def slow(request: Request) -> str:
        nonlocal waiting
        waiting += 1
        if waiting == 1000:
            all_wait.set()
        await asyncio.wait_for(all_wait.wait(), LIMIT_S)
        return "x"

    async def many() -> list[Response]:
        backend = ScriptedBackend(slow)
        return await asyncio.gather(*(backend.send(ASK) for _ in range(1000)))

    assert len(asyncio.run(many())) == 1000
