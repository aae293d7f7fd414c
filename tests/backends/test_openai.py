"""OpenAI-compatible servers: recorded answers of a real vLLM, made-up faults, and llama.cpp's own server for real."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from chainlab.backends import weights
from chainlab.backends.chat import ServerSettings
from chainlab.backends.clocks import Clocks
from chainlab.backends.completion import Structured
from chainlab.backends.embedded import DEFAULT_MODEL, EmbeddedBackend
from chainlab.backends.http_errors import retry_after
from chainlab.backends.openai import OpenAIBackend
from chainlab.errors import BackendError, ConfigError
from chainlab.messages import Chunk, Request, Response
from chainlab.protocols import ResolvedModel
from tests.patience import on_a_still_clock

RECORDED = Path(__file__).parent / "recorded"
ASK = Request(step="draft", model="smollm2", messages=[{"role": "user", "content": "What is the capital of France?"}])
URL = "http://models.test/v1"


def recorded(name: str) -> httpx.Response:
    """The answer of a real vLLM 0.32, as it was recorded."""
    data = json.loads((RECORDED / f"{name}.json").read_text())
    text = data.get("response_text")
    return httpx.Response(
        data["status"],
        headers=data.get("response_headers"),
        content=text if text is not None else json.dumps(data["response"]),
    )


def openai(
    answer: Callable[[httpx.Request], Any], url: str = URL, structured: Structured | None = None, **options: Any
) -> OpenAIBackend:
    settings = ServerSettings(url, "hosted", **options)
    return OpenAIBackend(settings, structured=structured, transport=httpx.MockTransport(answer))


def at(url: str, **options: Any) -> OpenAIBackend:
    return OpenAIBackend(ServerSettings(url, "hosted", **options))


def sent(
    answer: httpx.Response | Callable[[httpx.Request], Any],
    request: Request = ASK,
    on_chunk: Callable[[Chunk], None] | None = None,
    **options: Any,
) -> Response:
    handler = answer if callable(answer) else lambda _: answer

    async def work() -> Response:
        backend = openai(handler, **options)
        try:
            return await backend.send(request, on_chunk)
        finally:
            await backend.aclose()

    return on_a_still_clock(work())


def failed(
    answer: httpx.Response | Callable[[httpx.Request], Any],
    on_chunk: Callable[[Chunk], None] | None = None,
    **options: Any,
) -> BackendError:
    with pytest.raises(BackendError) as caught:
        sent(answer, on_chunk=on_chunk, **options)
    return caught.value


def events(*data: str) -> httpx.Response:
    body = "".join(f"data: {line}\n\n" for line in data)
    return httpx.Response(200, headers={"content-type": "text/event-stream"}, content=body)


def piece(text: str, finish: str | None = None) -> str:
    return json.dumps({"choices": [{"index": 0, "delta": {"content": text}, "finish_reason": finish}]})


# what is answered


def test_a_plain_reply_has_text_counts_and_its_raw_form() -> None:
    response = sent(recorded("chat_plain"))
    assert response.text == "The capital of France is Paris."
    assert (response.finish_reason, response.tokens_in, response.tokens_out) == ("stop", 27, 8)
    assert (response.served_model, response.http_status) == ("smollm2", 200)
    assert response.raw is not None and response.raw["id"] == "chatcmpl-92ed4145d4152b2e"


@pytest.mark.parametrize(
    ("name", "texts", "tokens"),
    [
        ("chat_stream_usage", ["The", " capital", " of", " France", " is", " Paris"], (27, 6)),
        ("chat_stream_continuous_usage", ["The", " capital", " of"], (27, 3)),
    ],
)
def test_a_streamed_reply_adds_up(name: str, texts: list[str], tokens: tuple[int, int]) -> None:
    chunks: list[Chunk] = []
    response = sent(recorded(name), on_chunk=chunks.append)
    assert [chunk.text for chunk in chunks] == texts
    assert response.text == "".join(texts)
    assert (response.finish_reason, response.tokens_in, response.tokens_out) == ("length", *tokens)
    assert response.ttft_us is not None
    assert response.raw is not None and response.raw["choices"][0]["message"]["content"] == response.text


def test_logprobs_come_with_the_reply() -> None:
    response = sent(recorded("logprobs"))
    assert response.logprobs is not None
    assert [entry["token"] for entry in response.logprobs] == ["The", " capital", " of"]


def test_a_reply_cut_at_the_limit_says_so_and_is_no_error() -> None:
    assert sent(recorded("so_truncated_by_max_tokens")).finish_reason == "length"


def test_a_structured_reply_is_passed_on_as_text() -> None:
    assert json.loads(sent(recorded("so_response_format_json_schema")).text) == {"city": "Paris", "population_m": 11}


def test_a_server_that_will_not_stream_is_understood() -> None:
    chunks: list[Chunk] = []
    assert sent(recorded("chat_plain"), on_chunk=chunks.append).text == "".join(chunk.text for chunk in chunks)


def test_a_filtered_reply_is_passed_on() -> None:
    body = {"choices": [{"message": {"content": None}, "finish_reason": "content_filter"}]}
    assert sent(httpx.Response(200, json=body)).finish_reason == "content_filter"


# what is asked


def asked(request: Request, on_chunk: Callable[[Chunk], None] | None = None, **options: Any) -> httpx.Request:
    seen: list[httpx.Request] = []

    def answer(got: httpx.Request) -> httpx.Response:
        seen.append(got)
        return recorded("chat_plain")

    sent(answer, request, on_chunk, **options)
    return seen[0]


def test_only_what_was_set_is_asked_for() -> None:
    got = asked(ASK)
    assert str(got.url) == "http://models.test/v1/chat/completions"
    assert json.loads(got.content) == {"model": "smollm2", "messages": [dict(message) for message in ASK.messages]}
    assert "authorization" not in got.headers


def test_every_option_goes_along() -> None:
    request = ASK.model_copy(
        update={
            "temperature": 0.0,
            "top_p": 0.5,
            "max_tokens": 9,
            "stop": ("END",),
            "seed": 0,
            "logprobs": True,
            "adapter": "tickets@2",
            "output_schema": {"title": "list[Topic]", "type": "object"},
        }
    )
    body = json.loads(asked(request, lambda chunk: None).content)
    assert body["model"] == "tickets@2"
    assert (body["temperature"], body["top_p"], body["max_tokens"], body["seed"]) == (0.0, 0.5, 9, 0)
    assert (body["stop"], body["logprobs"], body["top_logprobs"]) == (["END"], True, 5)
    assert (body["stream"], body["stream_options"]) == (True, {"include_usage": True})
    assert body["response_format"] == {
        "type": "json_schema",
        "json_schema": {"name": "list_Topic", "strict": False, "schema": {"title": "list[Topic]", "type": "object"}},
    }


def test_odd_text_is_sent_as_valid_json() -> None:
    request = ASK.model_copy(update={"messages": [{"role": "user", "content": "a\ud800\u2028\x00é"}]})
    assert json.loads(asked(request).content)["messages"][0]["content"] == "a\ud800\u2028\x00é"


# the key


def test_the_key_comes_from_its_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CHAINLAB_TEST_KEY", " sk-hidden\n")
    assert asked(ASK, api_key_env="CHAINLAB_TEST_KEY").headers["authorization"] == "Bearer sk-hidden"


def test_a_missing_key_is_named_before_any_request(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CHAINLAB_TEST_KEY", raising=False)
    backend = at(URL, api_key_env="CHAINLAB_TEST_KEY")
    with pytest.raises(ConfigError, match="CHAINLAB_TEST_KEY"):
        asyncio.run(backend.prepare(ResolvedModel(None, backend, "smollm2"), lambda progress: None))
    assert backend.secrets() == ()
    assert failed(recorded("chat_plain"), api_key_env="CHAINLAB_TEST_KEY").code == "auth-failed"


def test_the_key_is_known_for_redaction_and_not_in_the_identity(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CHAINLAB_TEST_KEY", "sk-hidden")
    backend = at(f"{URL}/?token=hidden", api_key_env="CHAINLAB_TEST_KEY")
    asyncio.run(backend.prepare(ResolvedModel(None, backend, "smollm2"), lambda progress: None))
    assert backend.secrets() == ("sk-hidden", "hidden")
    assert backend.identity("smollm2", None) == "openai|http://models.test/v1|smollm2"
    assert backend.identity("smollm2", "tickets@2") == "openai|http://models.test/v1|smollm2+tickets@2"
    with pytest.raises(ConfigError):
        at("http://me:hidden@models.test/v1")


def test_a_redirect_is_not_followed() -> None:
    error = failed(httpx.Response(307, headers={"location": "http://elsewhere.test/"}))
    assert (error.code, error.http_status) == ("bad-request", 307)


# what goes wrong


@pytest.mark.parametrize(
    ("name", "status", "code", "retryable"),
    [
        ("overload_2", 503, "unavailable", True),
        ("err_unknown_model", 404, "model-not-found", False),
        ("err_404_route", 404, "bad-request", False),
        ("err_context_too_long", 400, "context-overflow", False),
        ("err_max_tokens_too_big", 400, "bad-request", False),
        ("err_bad_schema_type", 400, "bad-request", False),
        ("err_not_json", 400, "bad-request", False),
    ],
)
def test_what_vllm_refuses_is_typed(name: str, status: int, code: str, retryable: bool) -> None:
    error = failed(recorded(name))
    assert (error.http_status, error.code, error.retryable) == (status, code, retryable)
    assert error.body


@pytest.mark.parametrize(
    ("status", "error", "code", "retryable"),
    [
        (429, {"message": "slow down"}, "rate-limited", True),
        (429, {"message": "pay", "code": "insufficient_quota"}, "quota-exhausted", False),
        (402, {}, "quota-exhausted", False),
        (401, {"message": "who?"}, "auth-failed", False),
        (403, {}, "auth-failed", False),
        (408, {}, "unavailable", True),
        (500, {}, "unavailable", True),
        (529, {}, "unavailable", True),
        (501, {}, "bad-request", False),
        (422, {}, "bad-request", False),
        (400, {"code": "context_length_exceeded"}, "context-overflow", False),
        (404, {"code": "model_not_found"}, "model-not-found", False),
    ],
)
def test_a_status_is_typed(status: int, error: dict[str, str], code: str, retryable: bool) -> None:
    got = failed(httpx.Response(status, json={"error": error}))
    assert (got.code, got.retryable) == (code, retryable)


def test_the_wait_that_a_server_asks_for_is_passed_on() -> None:
    assert failed(httpx.Response(429, headers={"retry-after": "7"})).retry_after_s == 7
    assert failed(httpx.Response(503, headers={"retry-after": "900"})).retry_after_s == 60
    assert failed(httpx.Response(503)).retry_after_s is None
    assert retry_after({"retry-after": "Wed, 21 Oct 2015 07:28:00 GMT"}) == 0
    assert retry_after({"retry-after": "soon"}) is None
    assert retry_after({"retry-after": "nan"}) is None


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"<html><body>Sign in</body></html>", "protocol-error"),
        (b'{"choices": [{"mess', "protocol-error"),
        (b"\xff\xfe", "protocol-error"),
        (b"[]", "protocol-error"),
        (b"{}", "protocol-error"),
        (b"[" * 100_000, "protocol-error"),
        (b'{"error": {"message": "in a 200"}}', "protocol-error"),
        (b'{"choices": [3]}', "protocol-error"),
        (b'{"choices": [{"message": {"content": 3}}]}', "protocol-error"),
        (b'{"choices": []}', "empty-response"),
        (b'{"choices": [{"message": {"content": null}, "finish_reason": "stop"}]}', "empty-response"),
    ],
)
def test_a_200_that_is_no_reply_is_typed_and_its_start_kept(content: bytes, code: str) -> None:
    error = failed(httpx.Response(200, content=content))
    assert (error.code, error.http_status) == (code, 200)
    assert error.body is not None and 0 < len(error.body) <= 2048


@pytest.mark.parametrize(
    ("data", "code", "body"),
    [
        ([piece("The"), piece(" cap")], "stream-interrupted", "The cap"),
        ([], "stream-interrupted", ""),
        ([piece("The"), '{"error": {"message": "out of memory"}}'], "stream-interrupted", "The"),
        ([piece("The"), '{"choices": ['], "protocol-error", 'The{"choices": ['),
        ([piece("The"), "3"], "protocol-error", "3"),
        ([piece("", "stop"), "[DONE]"], "empty-response", ""),
    ],
)
def test_a_stream_that_breaks_is_typed_and_what_came_is_kept(data: list[str], code: str, body: str) -> None:
    error = failed(events(*data), on_chunk=lambda chunk: None)
    assert (error.code, error.body or "") == (code, body)
    assert error.retryable


def test_a_stream_may_hold_pings_any_separators_and_no_done() -> None:
    text = "a\u2028b\x85c\rd"
    line = json.dumps({"choices": [{"delta": {"content": text}, "finish_reason": "stop"}]}, ensure_ascii=False)
    body = f": ping\r\n\r\nevent: x\r\ndata:{line}\r\n\r\n: ping\r\n"
    answer = httpx.Response(200, headers={"content-type": "text/event-stream"}, content=body.encode())
    assert sent(answer, on_chunk=lambda chunk: None).text == text


class Slowly(httpx.AsyncByteStream):
    """A body that comes in parts, with waits; then the connection breaks, if `error`."""

    def __init__(self, *parts: bytes, wait: float = 0.0, error: Exception | None = None) -> None:
        self.parts, self.wait, self.error = parts, wait, error
        self.begun = self.closed = False

    async def __aiter__(self) -> AsyncIterator[bytes]:
        self.begun = True
        for part in self.parts:
            yield part
            await asyncio.sleep(self.wait)
        if self.error is not None:
            raise self.error

    async def aclose(self) -> None:
        self.closed = True


def streamed(stream: Slowly) -> httpx.Response:
    return httpx.Response(200, headers={"content-type": "text/event-stream"}, stream=stream)


def test_bytes_may_be_cut_anywhere() -> None:
    body = f"data: {piece('é', 'stop')}\n\ndata: [DONE]\n\n".encode()
    stream = Slowly(*(body[i : i + 1] for i in range(len(body))))
    assert sent(streamed(stream), on_chunk=lambda chunk: None).text == "é"


def test_a_connection_that_breaks_in_the_stream_keeps_what_came() -> None:
    part = f"data: {piece('The')}\n\n".encode()
    error = failed(streamed(Slowly(part, error=httpx.ReadError("reset"))), on_chunk=lambda chunk: None)
    assert (error.code, error.retryable, error.body) == ("stream-interrupted", True, "The")


def test_a_connection_that_breaks_after_the_last_word_is_no_error() -> None:
    part = f"data: {piece('The', 'stop')}\n\n".encode()
    assert sent(streamed(Slowly(part, error=httpx.ReadError("reset"))), on_chunk=lambda chunk: None).text == "The"


def test_pings_do_not_keep_a_silent_stream_alive() -> None:
    stream = Slowly(*[b": ping\n\n"] * 100, wait=2)
    clocks = Clocks(first_token=10)
    error = failed(streamed(stream), on_chunk=lambda chunk: None, clocks=clocks)
    assert (error.code, error.retryable) == ("timeout-first-token", True)
    assert stream.closed


def test_a_stream_that_goes_on_may_take_longer_than_the_limit() -> None:
    part = f"data: {piece('x')}\n\n".encode()
    stream = Slowly(*[part] * 10, f"data: {piece('', 'stop')}\n\n".encode(), wait=3)
    assert sent(streamed(stream), on_chunk=lambda chunk: None, clocks=Clocks(between_tokens=4)).text == "x" * 10


def test_a_server_that_cannot_be_reached_is_worth_another_try() -> None:
    def refuse(request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("refused")

    error = failed(refuse)
    assert (error.code, error.retryable) == ("unavailable", True)
    assert URL in error.remedy
    assert at(URL).transport_retries == 3


def test_a_reply_without_end_is_cut_off() -> None:
    class Endless(httpx.AsyncByteStream):
        async def __aiter__(self) -> AsyncIterator[bytes]:
            while True:
                yield b"x" * (1 << 20)

    assert failed(httpx.Response(200, stream=Endless())).code == "output-too-large"


def test_cancelling_closes_the_request() -> None:
    stream = Slowly(*[b": ping\n\n"] * 1000, wait=0.05)

    async def work() -> None:
        backend = openai(lambda _: streamed(stream))
        task = asyncio.create_task(backend.send(ASK, lambda chunk: None))
        await asyncio.sleep(0.1)
        assert stream.begun
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert stream.closed
        await backend.aclose()

    on_a_still_clock(work())


def test_a_backend_outlives_its_event_loop() -> None:
    backend = openai(lambda _: recorded("chat_plain"))
    assert [asyncio.run(backend.send(ASK)).finish_reason for _ in range(2)] == ["stop", "stop"]


# a real server


@pytest.fixture(scope="module")
def server(embedded: EmbeddedBackend) -> Iterator[str]:
    """llama.cpp's own HTTP server; `embedded` has made sure of the weights."""
    import xllamacpp

    params = xllamacpp.CommonParams()
    params.model.path = str(weights.locate(DEFAULT_MODEL, Path()))
    params.n_ctx, params.n_parallel, params.verbosity = 1024, 1, -1
    params.cpuparams.n_threads = params.cpuparams_batch.n_threads = 1
    params.port, params.api_keys = 0, ["sk-real"]
    running = xllamacpp.Server(params)
    yield f"{running.listening_address}/v1"
    del running


@pytest.mark.model
def test_a_real_server_answers_plain_streamed_and_typed(server: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CHAINLAB_TEST_KEY", "sk-real")
    schema = {"title": "Colour", "enum": ["red", "green"]}
    request = ASK.model_copy(update={"max_tokens": 8, "seed": 1})
    chunks: list[Chunk] = []

    async def work() -> tuple[Response, Response, Response]:
        plain = await one(request)
        listened = await one(request, chunks.append)
        typed = await one(request.model_copy(update={"output_schema": schema, "max_tokens": 40}))
        return plain, listened, typed

    async def one(request: Request, listen: Callable[[Chunk], None] | None = None) -> Response:
        # A connection of its own: this server closes idle ones, and trying again is the engine's part.
        backend = at(server, api_key_env="CHAINLAB_TEST_KEY")
        try:
            return await backend.send(request, listen)
        finally:
            await backend.aclose()

    plain, listened, typed = asyncio.run(work())
    assert plain.text and plain.tokens_in and plain.tokens_out
    assert listened.text == "".join(chunk.text for chunk in chunks) and listened.tokens_out
    assert typed.text in ("red", "green")


@pytest.mark.model
def test_a_real_server_refuses_in_types(server: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CHAINLAB_TEST_KEY", "sk-wrong")

    async def work(backend: OpenAIBackend, request: Request) -> str:
        with pytest.raises(BackendError) as caught:
            await backend.send(request)
        await backend.aclose()
        return caught.value.code

    wrong = at(server, api_key_env="CHAINLAB_TEST_KEY")
    assert asyncio.run(work(wrong, ASK)) == "auth-failed"
    monkeypatch.setenv("CHAINLAB_TEST_KEY", "sk-real")
    right = at(server, api_key_env="CHAINLAB_TEST_KEY")
    long = ASK.model_copy(update={"messages": [{"role": "user", "content": "word " * 2000}]})
    assert asyncio.run(work(right, long)) == "context-overflow"
    nowhere = at("http://127.0.0.1:9/v1")
    assert asyncio.run(work(nowhere, ASK)) == "unavailable"
