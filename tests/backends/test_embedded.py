"""The built-in model, for real: states and shapes, never its words."""

from __future__ import annotations

import asyncio
import http.client
import os
import subprocess
import sys
import threading
from collections.abc import Mapping
from enum import Enum
from pathlib import Path
from typing import Any, Literal, Optional

import pytest
from pydantic import BaseModel, Field, TypeAdapter

from chainlab.backends import embedded as module
from chainlab.backends import weights
from chainlab.backends.completion import StreamedReply
from chainlab.backends.constrain import grammar_schema, plain_pattern
from chainlab.backends.embedded import DEFAULT_MODEL, EmbeddedBackend, default_threads
from chainlab.errors import BackendError, ConfigError
from chainlab.messages import Chunk, Progress, Request, Response
from chainlab.protocols import ResolvedModel
from tests.patience import turns_until, until

pytestmark = pytest.mark.model

ENDLESS = {"type": "array", "items": {"type": "integer"}, "minItems": 400}
"""A type that no reply of fewer than 400 tokens fits: the model cannot end before it is stopped."""


def ask(text: str, **options: Any) -> Request:
    given = {"max_tokens": 16, "seed": 1} | options
    return Request(step="draft", model=DEFAULT_MODEL, messages=[{"role": "user", "content": text}], **given)


def prepared(backend: EmbeddedBackend, model: str) -> None:
    asyncio.run(backend.prepare(ResolvedModel(None, backend, model), lambda progress: None))


def answered(backend: EmbeddedBackend, text: str, **options: Any) -> Response:
    return asyncio.run(backend.send(ask(text, **options)))


def failed(backend: EmbeddedBackend, request: Request) -> BackendError:
    with pytest.raises(BackendError) as caught:
        asyncio.run(backend.send(request))
    return caught.value


def test_a_reply_has_text_counts_and_times(embedded: EmbeddedBackend) -> None:
    response = answered(embedded, "What is the sea?")
    assert response.text
    assert response.finish_reason in ("length", "stop")
    assert response.tokens_out is not None and 1 <= response.tokens_out <= 16
    assert response.tokens_in is not None and response.tokens_in > 5
    assert response.ttft_us is not None and response.ttft_us > 0
    assert response.served_model == DEFAULT_MODEL
    assert response.raw is not None and response.raw["choices"][0]["message"]["content"] == response.text
    assert ".gguf" not in str(response.raw)  # no path of this machine in the trace


def test_a_stream_adds_up_to_the_text(embedded: EmbeddedBackend) -> None:
    chunks: list[Chunk] = []
    response = asyncio.run(embedded.send(ask("What is the sea?"), chunks.append))
    assert len(chunks) > 1
    assert "".join(chunk.text for chunk in chunks) == response.text


def test_the_same_seed_gives_the_same_text(embedded: EmbeddedBackend) -> None:
    def said(seed: int) -> str:
        return answered(embedded, "Write about the sea.", temperature=1.0, seed=seed, max_tokens=4).text

    said(7)  # reads the prompt; what is compared both begins with a prompt that was read, so with the same numbers
    assert said(7) == said(7)
    assert len({said(seed) for seed in range(8)}) > 1


def test_logprobs_are_given_when_asked_for(embedded: EmbeddedBackend) -> None:
    response = answered(embedded, "What is the sea?", max_tokens=4, logprobs=True)
    assert response.logprobs
    assert response.logprobs[0]["logprob"] <= 0
    assert answered(embedded, "What is the sea?", max_tokens=4).logprobs is None


class Tone(Enum):
    FORMAL = "formal"
    CASUAL = "casual"


class Source(BaseModel):
    page: int = Field(ge=1, le=99)
    note: Optional[str] = Field(default=None, max_length=12)  # noqa: UP045 - the form that authors still write


class Finding(BaseModel):
    """A nested model with what authors use most."""

    kind: Literal["bug", "billing"]
    tone: Tone
    source: Source
    others: list[Source] = Field(max_length=2)
    code: str = Field(pattern=r"^\d{2}-[A-Z]$")
    best: Source | None = None
    sure: bool


@pytest.mark.parametrize(
    "tp",
    [
        Finding,
        Source,
        Source | None,
        list[Literal["red", "green"]],
        Literal["yes", "no"],
        Tone,
        bool,
        int,
        float,
        None,
    ],
    ids=str,
)
def test_a_typed_step_gets_what_its_type_says(embedded: EmbeddedBackend, tp: Any) -> None:
    adapter = TypeAdapter[Any](tp)
    schema = adapter.json_schema(mode="serialization")
    if schema.get("type") == "array":
        schema |= {"maxItems": 3}
    response = answered(embedded, "Give one short example.", max_tokens=600, temperature=0.0, output_schema=schema)
    assert response.finish_reason == "stop"
    adapter.validate_json(response.text)


def test_an_unbounded_type_ends_at_the_limit_and_says_so(embedded: EmbeddedBackend) -> None:
    response = answered(embedded, "Numbers.", output_schema=ENDLESS)
    assert (response.finish_reason, response.tokens_out) == ("length", 16)


@pytest.mark.parametrize(
    ("pattern", "plain"),
    [
        (r"^\d{4}$", "^[0-9]{4}$"),
        (r"^[\w.]+@x$", "^[A-Za-z0-9_.]+@x$"),
        ("abc", "^.*(abc).*$"),
        ("^a|b$", "^a|b$"),
        (r"^\[\]$", r"^\[\]$"),
        (r"^(?!x)a$", None),
        (r"^\bword$", None),
        ("^a$b", None),
        ("^(?:a|(?:b){2})$", "^(a|(b){2})$"),
        (r"^\(?:x$", r"^\(?:x$"),
        (r"^a\$", r"^(a\$).*$"),
        ("^[a$?:]$", "^[a$?:]$"),
        ("^a*?$", None),
    ],
)
def test_a_pattern_is_put_in_terms_of_the_grammar_or_left_out(pattern: str, plain: str | None) -> None:
    assert plain_pattern(pattern) == plain


def test_only_keywords_are_loosened_never_fields_of_that_name() -> None:
    schema: Mapping[str, Any] = {
        "type": "object",
        "properties": {"pattern": {"type": "string", "pattern": "(?i)x"}, "minLength": {"minLength": 5000}},
        "enum": [{"pattern": "(?i)x"}],
    }
    assert grammar_schema(schema) == {
        "type": "object",
        "properties": {"pattern": {"type": "string"}, "minLength": {}},
        "enum": [{"pattern": "(?i)x"}],
    }


def test_a_prompt_that_is_too_long_is_refused_with_both_numbers(embedded: EmbeddedBackend) -> None:
    error = failed(embedded, ask("word " * 3000))
    assert (error.code, error.retryable) == ("context-overflow", False)
    assert error.expected == "2048 tokens at most" and error.got is not None and "30" in error.got
    assert "n_ctx" in error.remedy


def test_a_schema_that_is_none_is_a_bad_request(embedded: EmbeddedBackend) -> None:
    assert failed(embedded, ask("x", output_schema={"type": "objekt"})).code == "bad-request"


def test_an_adapter_is_refused(embedded: EmbeddedBackend) -> None:
    assert failed(embedded, ask("x", adapter="tickets")).code == "no-adapter"


class Heard:
    """How often llama.cpp has spoken since: of its progress with a prompt, and of words."""

    def __init__(self) -> None:
        self.chunks = self.words = 0


@pytest.fixture
def heard(monkeypatch: pytest.MonkeyPatch) -> Heard:
    counts = Heard()

    class Counted(StreamedReply):
        def feed(self, chunk: Any) -> str:
            counts.chunks += 1
            added = super().feed(chunk)
            counts.words += bool(added)
            return added

    monkeypatch.setattr(module, "StreamedReply", Counted)
    return counts


def model_is_at_rest() -> bool:
    return not [thread for thread in threading.enumerate() if thread.name == "chainlab-model"]


@pytest.mark.parametrize(
    ("text", "sign"), [("apple pear " * 700, "chunks"), ("Count.", "words")], ids=["reads", "writes"]
)
def test_cancelling_gives_control_back_at_once_and_frees_the_model(
    embedded: EmbeddedBackend, heard: Heard, text: str, sign: str
) -> None:
    """Counted, not timed: turns of the loop until control is back, and chunks until the model has stopped."""
    calls = embedded.concurrency  # every slot is taken

    async def cancel() -> tuple[int, int]:
        request = ask(text, max_tokens=400, output_schema=ENDLESS)
        tasks = [asyncio.create_task(embedded.send(request)) for _ in range(calls)]
        await turns_until(lambda: getattr(heard, sign), "a sign of the model")
        for task in tasks:
            assert task.cancel()
        turns = 0
        while not all(task.done() for task in tasks):
            await asyncio.sleep(0)
            turns += 1
        assert all(task.cancelled() for task in tasks)
        return turns, heard.chunks

    turns, before = asyncio.run(cancel())
    assert turns <= 5  # waiting for the model: thousands
    until(model_is_at_rest, "the end of the cancelled calls")
    assert heard.chunks - before <= 2 * calls  # to their end: 22 for each prompt, then 400 words
    for _ in range(calls):
        assert answered(embedded, "hi", max_tokens=4, temperature=0.0).text


def test_nothing_is_delivered_after_a_cancellation(embedded: EmbeddedBackend) -> None:
    chunks: list[Chunk] = []

    async def cancel() -> int:
        task = asyncio.create_task(embedded.send(ask("Count.", max_tokens=400, output_schema=ENDLESS), chunks.append))
        await turns_until(lambda: chunks, "a first word")
        assert task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        seen = len(chunks)
        await turns_until(model_is_at_rest, "the end of the cancelled call")
        await asyncio.sleep(0.01)  # what it has posted to the loop meanwhile would come now
        return seen

    assert asyncio.run(cancel()) == len(chunks)


def test_the_event_loop_goes_on_while_the_model_works(embedded: EmbeddedBackend) -> None:
    async def work() -> int:
        task = asyncio.create_task(embedded.send(ask("Count.", max_tokens=40, output_schema=ENDLESS)))
        return await turns_until(task.done, "the reply")

    assert asyncio.run(work()) > 3  # a loop that is held up by the call has one turn


def test_requests_share_the_model(embedded: EmbeddedBackend) -> None:
    async def many() -> list[Response]:
        return await asyncio.gather(*(embedded.send(ask(f"Say {n}.", max_tokens=8, temperature=0.0)) for n in range(8)))

    assert embedded.concurrency == 4
    assert all(response.text for response in asyncio.run(many()))


ROUTES = """
/ /index.html /sw.js /favicon.ico /health /v1/health /models /v1/models /api/tags /api/show /api/chat /props /slots
/slots/0 /metrics /tools /cors-proxy /lora-adapters /completion /completions /v1/completions /chat/completions
/v1/chat/completions /v1/chat/completions/input_tokens /v1/chat/completions/control /v1/responses /v1/messages
/v1/messages/count_tokens /v1/audio/transcriptions /infill /embedding /embeddings /v1/embeddings /rerank /v1/rerank
/v1/systemone /v1/stream /v1/streams/lookup /tokenize /detokenize /apply-template /nothing
""".split()


def test_the_loopback_port_answers_nothing_without_the_key(embedded: EmbeddedBackend) -> None:
    with embedded._models.used(DEFAULT_MODEL) as loaded:
        host = loaded.server.listening_address.removeprefix("http://")
    assert host.startswith("127.0.0.1:")
    connection = http.client.HTTPConnection(host, timeout=60)
    for route in ROUTES:
        for method in ("GET", "POST", "PUT", "DELETE"):
            for headers in ({}, {"Authorization": "Bearer guess"}):
                connection.request(method, route, body=b"{}", headers={"Origin": "http://evil.example", **headers})
                reply = connection.getresponse()
                reply.read()
                assert reply.status in (401, 403, 404), (method, route)
                assert reply.headers["Access-Control-Allow-Origin"] != "http://evil.example"
                connection.close()


def test_identity_is_the_content_of_the_file(embedded: EmbeddedBackend) -> None:
    file = weights.locate(DEFAULT_MODEL, Path())
    assert embedded.identity(str(file), None) == embedded.identity(DEFAULT_MODEL, None)
    assert embedded.identity(DEFAULT_MODEL, None) == f"embedded|{weights.BUILT_IN[DEFAULT_MODEL].sha256}"


def test_another_file_can_be_named_from_the_projects_root(embedded: EmbeddedBackend, tmp_path: Path) -> None:
    (tmp_path / "models").mkdir()
    (tmp_path / "models" / "own.gguf").symlink_to(weights.locate(DEFAULT_MODEL, tmp_path))
    backend = EmbeddedBackend(root=tmp_path, concurrency=1, n_ctx=256)
    seen: list[Progress] = []

    async def work() -> Response:
        own = ResolvedModel(None, backend, "models/own.gguf")
        first, second = (backend.prepare(own, seen.append) for _ in range(2))
        await asyncio.gather(first, second)
        request = ask("hi", max_tokens=2).model_copy(update={"model": "models/own.gguf"})
        response = await backend.send(request)
        await backend.aclose()
        return response

    assert asyncio.run(work()).served_model == "models/own.gguf"
    assert [(step.what, step.done) for step in seen] == [("loading models/own.gguf", 0), ("loading models/own.gguf", 1)]


def test_a_file_that_is_no_model_is_refused(tmp_path: Path) -> None:
    (tmp_path / "bad.gguf").write_bytes(b"GGUF but not really")
    with pytest.raises(ConfigError) as caught:
        prepared(EmbeddedBackend(root=tmp_path), "bad.gguf")
    assert caught.value.code == "bad-weights"


def test_a_missing_extra_is_said_before_anything_is_downloaded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "xllamacpp", None)
    monkeypatch.setenv("CHAINLAB_CACHE", str(tmp_path))

    def download(*args: Any) -> None:
        raise AssertionError("nothing may be downloaded")

    with pytest.raises(ConfigError) as caught:
        prepared(EmbeddedBackend(download=download), DEFAULT_MODEL)
    assert caught.value.code == "missing-extra"
    assert caught.value.remedy == 'pip install "chainlab[local]"'


def test_a_request_to_an_unknown_model_is_one_error() -> None:
    request = ask("hi").model_copy(update={"model": "smollm3"})
    error = failed(EmbeddedBackend(), request)
    assert error.code == "unknown-model"
    assert DEFAULT_MODEL in error.remedy


def test_one_core_is_left_free() -> None:
    assert 1 <= default_threads() <= max(1, (os.cpu_count() or 1) - 1)


LEAVE = """
import asyncio, os
from chainlab.backends import embedded
from chainlab.backends.completion import StreamedReply
from chainlab.messages import Request
from chainlab.protocols import ResolvedModel

heard = 0

class Told(StreamedReply):
    def feed(self, chunk):
        global heard
        heard += 1
        os.write(1, b".")
        return super().feed(chunk)

embedded.StreamedReply = Told

async def main():
    backend = embedded.EmbeddedBackend()
    await backend.prepare(ResolvedModel(None, backend, embedded.DEFAULT_MODEL), lambda progress: None)
    text = "apple pear " * 700
    request = Request(
        step="a", model=embedded.DEFAULT_MODEL, messages=[{"role": "user", "content": text}], max_tokens=500
    )
    tasks = [asyncio.create_task(backend.send(request)) for _ in range(backend.concurrency)]
    while not heard:
        await asyncio.sleep(0.001)
    [task.cancel() for task in tasks]
    await asyncio.gather(*tasks, return_exceptions=True)

asyncio.run(main())
os.write(1, b"left")
"""


def test_a_process_leaves_at_once_while_the_model_still_reads() -> None:
    """At once: the model has not gone on to the end of all four prompts, which it reads in 88 parts."""
    done = subprocess.run([sys.executable, "-c", LEAVE], capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    before, after = done.stdout.split("left")
    assert before.count(".") >= 1
    assert len(after) <= 8
