"""Anthropic's Messages API: a local server that follows its wire format, as the API reference (2023-06-01) gives it.

It refuses what the real one refuses: no key, no version, no max_tokens, a first message that is not the user's, a
system message among the others. Its answers have the reference's form, field by field.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal, TypeAlias

import pytest
from pydantic import BaseModel

from chainlab import Image, assistant, chain, fill, prompt, user
from chainlab import system as says
from chainlab.backends.anthropic import AnthropicBackend
from chainlab.backends.chat import ServerSettings
from tests.backends.wire import Asked, ask
from tests.faults.server import Answer, Call

MODEL = "claude-sonnet-4-5"
PNG = bytes.fromhex("89504e470d0a1a0a0000000d49484452000000010000000108060000001f15c489")


def refused(call: Call) -> tuple[int, str, str] | None:
    """What the real server says of a request that is none."""
    body = call.body
    if call.headers.get("x-api-key") != "sk-ant-hidden":
        return 401, "authentication_error", "invalid x-api-key"
    if "anthropic-version" not in call.headers:
        return 400, "invalid_request_error", "anthropic-version: header is required"
    if not isinstance(body.get("max_tokens"), int):
        return 400, "invalid_request_error", "max_tokens: Field required"
    if any(message["role"] not in ("user", "assistant") for message in body["messages"]):
        return 400, "invalid_request_error", 'messages: Unexpected role "system"'
    if body["messages"][0]["role"] != "user":
        return 400, "invalid_request_error", "messages: first message must use the user role"
    if set(body) - {"model", "max_tokens", "messages", "system", "temperature", "top_p", "stop_sequences", "stream",
                    "tools", "tool_choice"}:  # fmt: skip
        return 400, "invalid_request_error", "Extra inputs are not permitted"
    return None


def blocks(call: Call, value: Any) -> list[dict[str, Any]]:
    """What the model writes: text, or the input of the tool that it must use."""
    tools = call.body.get("tools")
    if not tools:
        return [{"type": "text", "text": value}]
    assert call.body["tool_choice"]["name"] == tools[0]["name"]
    return [{"type": "tool_use", "id": "toolu_01A09q90qw90lq917835lq9", "name": tools[0]["name"], "input": value}]


def message(content: list[dict[str, Any]], reason: str | None, tokens_out: int) -> dict[str, Any]:
    return {
        "id": "msg_013Zva2CMHLNnjNjJJKqJ2EF", "type": "message", "role": "assistant", "model": f"{MODEL}-20250929",
        "content": content, "stop_reason": reason, "stop_sequence": None,
        "usage": {"input_tokens": 20, "cache_creation_input_tokens": 3, "cache_read_input_tokens": 100,
                  "output_tokens": tokens_out},
    }  # fmt: skip


async def events(call: Call, content: list[dict[str, Any]], reason: str | None) -> None:
    """The same as server-sent events: each piece in two, with pings between, as the real one sends them."""
    await call.head(200, "text/event-stream", "connection: close")

    async def event(kind: str, **fields: Any) -> None:
        await call.write(f"event: {kind}\ndata: {json.dumps({'type': kind, **fields})}\n\n".encode())

    await event("message_start", message=message([], None, 1))
    await event("ping")
    for index, block in enumerate(content):
        tool = block["type"] == "tool_use"
        await event("content_block_start", index=index,
                    content_block={**block, "input": {}} if tool else {"type": "text", "text": ""})  # fmt: skip
        text = json.dumps(block["input"]) if tool else block["text"]
        for part in (text[: len(text) // 2], text[len(text) // 2 :]):
            delta = {"type": "input_json_delta", "partial_json": part} if tool else {"type": "text_delta", "text": part}
            await event("content_block_delta", index=index, delta=delta)
        await event("content_block_stop", index=index)
    if reason is not None:
        await event("message_delta", delta={"stop_reason": reason, "stop_sequence": None}, usage={"output_tokens": 7})
        await event("message_stop")
    call.writer.close()


def answering(say: Callable[[Call], Any], reason: str | None = None) -> Answer:
    """A server whose model writes this."""

    async def answer(call: Call) -> None:
        wrong = refused(call)
        if wrong is not None:
            status, kind, text = wrong
            body = {
                "type": "error",
                "error": {"type": kind, "message": text},
                "request_id": "req_011CSHoEeqs5C35K2UUqR7Fy",
            }
            await call.whole(body, status)
            return
        content = blocks(call, say(call))
        ended = reason or ("tool_use" if call.body.get("tools") else "end_turn")
        if call.body.get("stream"):
            await events(call, content, None if ended == "never" else ended)
        else:
            await call.whole(message(content, ended, 7))

    return answer


Asking: TypeAlias = Callable[..., Asked]


def backend(url: str) -> AnthropicBackend:
    return AnthropicBackend(
        ServerSettings(url, "anthropic", default_model=MODEL, api_key_env="ANTHROPIC_TEST_KEY", retries=0)
    )


@pytest.fixture
def asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Asking:
    """Run a step, streamed, on a server that answers so."""

    def asked(what: Any, answer: Answer, key: str = "sk-ant-hidden", **given: Any) -> Asked:
        monkeypatch.setenv("ANTHROPIC_TEST_KEY", key)
        return ask(what, backend, answer, tmp_path / "t.db", **given)

    return asked


class Topic(BaseModel):
    title: str
    weight: int


@prompt("List them: {{ text }}", system="Be brief.", temperature=0.5, stop=["END"])
def draft(text: str) -> str:
    return fill()


@prompt("The topic of {{ text }}")
def topic(text: str) -> Topic:
    return fill()


@prompt("The words of {{ text }}")
def words(text: str) -> list[str]:
    return fill()


@prompt("Good or bad: {{ text }}")
def mood(text: str) -> Literal["good", "bad"]:
    return fill()


def test_text_comes_in_pieces_with_its_counts(asked: Asking) -> None:
    found = asked(draft, answering(lambda call: "one, two"), text="x")
    (attempt,) = found.attempts
    assert (found.run.output, found.texts) == ("one, two", ["one,", " two"])
    assert (attempt.tokens_in, attempt.tokens_cached, attempt.tokens_out) == (123, 100, 7)
    assert (attempt.served_model, attempt.finish_reason) == (f"{MODEL}-20250929", "stop")
    assert found.calls[0].path == "/v1/messages"
    assert found.body == {
        "model": MODEL, "max_tokens": 4096, "system": "Be brief.", "temperature": 0.5, "stop_sequences": ["END"],
        "stream": True, "messages": [{"role": "user", "content": "List them: x"}],
    }  # fmt: skip


@pytest.mark.parametrize(
    ("step", "said", "output"),
    [
        (topic, {"title": "sea", "weight": 3}, Topic(title="sea", weight=3)),
        (words, {"value": ["a", "b"]}, ["a", "b"]),
        (mood, {"value": "good"}, "good"),
    ],
    ids=["a model", "a list", "labels"],
)
def test_a_type_is_a_tool_that_must_be_used(step: Any, said: Any, output: Any, asked: Asking) -> None:
    found = asked(step, answering(lambda call: said), text="x")
    assert (found.run.status, found.run.output) == ("ok", output)
    (tool,) = found.body["tools"]
    assert tool["input_schema"]["type"] == "object"
    assert found.body["tool_choice"]["type"] == "tool"


def test_what_does_not_fit_the_type_is_sent_back(asked: Asking) -> None:
    replies = iter([{"title": "sea", "weight": "much"}, {"title": "sea", "weight": 3}])
    found = asked(topic, answering(lambda call: next(replies)), text="x")
    assert found.run.output == Topic(title="sea", weight=3)
    assert [attempt.reason for attempt in found.attempts] == ["first", "validation"]
    assert [message["role"] for message in found.calls[1].body["messages"]] == ["user", "assistant", "user"]


def test_examples_and_pictures_have_their_own_form(asked: Asking) -> None:
    @prompt(messages=[says("Look."), user("a cat?"), assistant("yes"), user("{{ photo }} and this?")])
    def look(photo: Image) -> str:
        return fill()

    found = asked(look, answering(lambda call: "no"), photo=Image(data=PNG))
    assert found.run.output == "no"
    assert found.body["system"] == "Look."
    picture, text = found.body["messages"][2]["content"]
    assert (picture["type"], text) == ("image", {"type": "text", "text": " and this?"})
    source = {"type": "base64", "media_type": "image/png", "data": base64.b64encode(PNG).decode()}
    assert picture["source"] == source


@pytest.mark.parametrize(
    ("reason", "code"),
    [("never", "stream-interrupted"), ("refusal", "filtered"), ("max_tokens", "truncated")],
)
def test_how_it_may_end(reason: str, code: str, asked: Asking) -> None:
    found = asked(topic, answering(lambda call: {"title": "s"}, reason), text="x")
    assert (found.code, len(found.attempts)) == (code, 1)


@pytest.mark.parametrize(
    ("status", "kind", "said", "code"),
    [
        (400, "invalid_request_error", "prompt is too long: 208310 tokens > 200000 maximum", "context-overflow"),
        (400, "invalid_request_error", "Your credit balance is too low to access the API.", "quota-exhausted"),
        (404, "not_found_error", "model: claude-nobody", "model-not-found"),
        (413, "request_too_large", "Request exceeds the maximum size", "context-overflow"),
        (429, "rate_limit_error", "This request would exceed your rate limit", "rate-limited"),
        (500, "api_error", "Internal server error", "unavailable"),
        (529, "overloaded_error", "Overloaded", "unavailable"),
    ],
)
def test_its_errors(status: int, kind: str, said: str, code: str, asked: Asking) -> None:
    async def answer(call: Call) -> None:
        await call.whole({"type": "error", "error": {"type": kind, "message": said}, "request_id": "req_1"}, status)

    found = asked(draft, answer, text="x")
    assert (found.code, len(found.calls)) == (code, 1)
    assert found.run.failure is not None and said in found.run.failure.error.message


def test_a_wrong_key_is_an_error_and_is_not_stored(asked: Asking, tmp_path: Path) -> None:
    found = asked(draft, answering(lambda call: ""), key="sk-ant-wrong", text="x")
    assert found.code == "auth-failed"
    assert found.run.failure is not None and "ANTHROPIC_TEST_KEY" in (found.run.failure.error.remedy or "")
    assert b"sk-ant-wrong" not in (tmp_path / "t.db").read_bytes()


def some_events(*events: dict[str, Any]) -> Answer:
    async def answer(call: Call) -> None:
        start = {"type": "message_start", "message": message([], None, 1)}
        await call.events(*(json.dumps(event) for event in (start, *events)))

    return answer


def test_an_error_in_the_middle_of_a_stream(asked: Asking) -> None:
    found = asked(draft, some_events(
        {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}},
        {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "one"}},
        {"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}},
    ), text="x")  # fmt: skip
    assert (found.code, found.texts) == ("stream-interrupted", ["one"])
    assert found.run.failure is not None and "Overloaded" in found.run.failure.error.message


def test_what_the_model_thinks_is_no_text(asked: Asking) -> None:
    found = asked(draft, some_events(
        {"type": "content_block_start", "index": 0, "content_block": {"type": "thinking", "thinking": ""}},
        {"type": "content_block_delta", "index": 0, "delta": {"type": "thinking_delta", "thinking": "hm"}},
        {"type": "content_block_stop", "index": 0},
        {"type": "content_block_start", "index": 1, "content_block": {"type": "text", "text": ""}},
        {"type": "content_block_delta", "index": 1, "delta": {"type": "text_delta", "text": "yes"}},
        {"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": 2}},
        {"type": "message_stop"},
    ), text="x")  # fmt: skip
    assert (found.run.output, found.texts) == ("yes", ["yes"])


def test_several_replies_are_several_calls(asked: Asking) -> None:
    @prompt("A name for {{ text }}", n=3)
    def names(text: str) -> list[str]:
        return fill()

    given = iter("abc")
    found = asked(names, answering(lambda call: next(given)), text="x")
    assert found.run.output == ["a", "b", "c"]
    assert [attempt.reason for attempt in found.attempts] == ["first", "sample", "sample"]


def test_a_chain_on_it(asked: Asking) -> None:
    @chain
    def once(text: str) -> str:
        return draft(text)

    assert asked(once, answering(lambda call: "yes"), text="x").run.output == "yes"
