"""Models in this process: llama.cpp through xllamacpp. Knows GGUF files and one request at a time, not what asks.

xllamacpp always opens a loopback port beside the in-process interface. Nothing here uses it, so it is shut: a random
key, a random path before every route (else its health and a page's script answer without the key), and no origin.
"""

from __future__ import annotations

import os
import secrets
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from chainlab.backends import weights
from chainlab.backends.completion import StreamedReply, request_body
from chainlab.backends.constrain import grammar_schema
from chainlab.backends.daemon import Post, off_loop
from chainlab.backends.leaving import native_work
from chainlab.errors import BackendError, ConfigError
from chainlab.messages import Chunk, Progress, Request, Response

DEFAULT_MODEL = "smollm2-135m-instruct"

_SLOTS = 4
_CONTEXT = 8192  # tokens, shared out evenly among the slots
_BATCH = 64  # tokens of a prompt between two looks at whether it was cancelled (0.5 s); costs about 8% of prefill
_PROMPT_CACHE_MIB = 256  # llama.cpp would take up to 8 GiB


class EmbeddedBackend:
    """llama.cpp in process. A model loads once, when it is prepared."""

    kind = "embedded"
    pinned = True
    default_model = DEFAULT_MODEL
    default_max_tokens = 256  # a small model may not find its end; a grammar does not give it one
    transport_retries = 0

    def __init__(
        self,
        *,
        name: str = "embedded",
        root: Path | None = None,
        concurrency: int | None = None,
        threads: int | None = None,
        n_ctx: int | None = None,
        download: weights.Download | None = None,
    ) -> None:
        self.name = name
        self.concurrency = concurrency or _SLOTS
        self._root = root or Path.cwd()
        self._threads = threads or default_threads()
        self._n_ctx = n_ctx or _CONTEXT
        self._download = download
        self._servers: dict[str, Any] = {}
        self._loading = threading.Lock()

    def identity(self, model: str, adapter: str | None) -> str:
        """The file's content decides the answer, not its name."""
        known = weights.BUILT_IN.get(model)
        content = known.sha256 if known is not None else weights.digest(weights.locate(model, self._root))
        return f"embedded|{content}" if adapter is None else f"embedded|{content}+{adapter}"

    async def prepare(self, model: str, report: Callable[[Progress], None]) -> None:
        """Fetch the weights if they are not there, and load them. Raises ConfigError."""
        if model not in self._servers:
            await off_loop(lambda abandoned, post: self._load(model, report, abandoned, post), "chainlab-load")

    async def send(self, request: Request, on_chunk: Callable[[Chunk], None] | None = None) -> Response:
        """One reply. Raises BackendError."""
        if request.adapter is not None:
            raise BackendError(
                "the embedded backend has no adapters", code="bad-request", remedy="name the model alone"
            )
        server = self._servers.get(request.model)
        if server is None:
            try:
                await self.prepare(request.model, lambda _: None)
            except ConfigError as error:
                raise BackendError(error.message, code=error.code, remedy=error.remedy) from error
            server = self._servers[request.model]
        body = _body(request)
        return await off_loop(lambda abandoned, post: _call(server, body, on_chunk, abandoned, post), "chainlab-model")

    async def aclose(self) -> None:
        """Let go of the models. One in the middle of a reply goes when that reply ends."""
        if self._servers:
            servers, self._servers = self._servers, {}
            await off_loop(lambda abandoned, post: servers.clear(), "chainlab-unload")

    def _load(self, model: str, report: weights.Report, abandoned: threading.Event, post: Post) -> None:
        while not self._loading.acquire(timeout=0.1):
            if abandoned.is_set():
                return
        try:
            if model in self._servers:
                return

            def tell(progress: Progress) -> None:
                post(report, progress)

            engine = _engine()
            path = weights.ensure(model, self._root, tell, abandoned, self._download)
            tell(Progress(f"loading {model}", 0, 1))
            self._servers[model] = self._server(engine, path)
            tell(Progress(f"loading {model}", 1, 1))
        finally:
            self._loading.release()

    def _server(self, engine: Any, path: Path) -> Any:
        params = engine.CommonParams()
        params.model.path = str(path)
        params.n_ctx, params.n_parallel = self._n_ctx, self.concurrency
        params.n_batch = params.n_ubatch = _BATCH
        # Threads of llama.cpp spin while they wait: one more than there are free cores makes it many times slower.
        params.cpuparams.n_threads = params.cpuparams_batch.n_threads = self._threads
        params.cache_ram_mib = _PROMPT_CACHE_MIB
        params.verbosity = -1
        params.port, params.api_keys = 0, [secrets.token_urlsafe(32)]
        params.api_prefix = f"/{secrets.token_urlsafe(32)}"
        params.cors_origins, params.cors_origins_explicit = "http://nobody.invalid", True
        params.cors_credentials = False
        params.ui = params.endpoint_slots = params.endpoint_props = params.endpoint_metrics = False
        try:
            return engine.Server(params)
        except Exception as error:
            raise ConfigError(
                f"{path} cannot be loaded: {error}",
                code="bad-weights",
                remedy="it must be a model in GGUF format that this version of xllamacpp knows",
            ) from error


def default_threads() -> int:
    """One core is left to everything else."""
    try:
        cores = len(os.sched_getaffinity(0))
    except AttributeError:  # not on macOS and Windows
        cores = os.cpu_count() or 1
    return max(1, cores - 1)


def state(model: str | None, root: Path) -> tuple[str, bool, str]:
    """Where a model's file is, whether it could answer now, and what to do first."""
    name = model or DEFAULT_MODEL
    try:
        _engine()
        path = str(weights.locate(name, root))
    except ConfigError as error:
        return "", False, error.remedy
    ready = weights.present(name, root)
    return path, ready, "" if ready else weights.PULL


def _engine() -> Any:
    try:
        import xllamacpp
    except ImportError as error:
        raise ConfigError(
            f"the built-in model needs xllamacpp: {error}",
            code="missing-extra",
            remedy='pip install "chainlab[local]"',
        ) from error
    return xllamacpp


def _body(request: Request) -> dict[str, Any]:
    body = request_body(request, stream=True)  # always streamed: only a stream can be cancelled
    body["return_progress"] = True  # and only with these does it look up while it reads the prompt
    if request.output_schema is not None:
        body["response_format"]["json_schema"]["schema"] = grammar_schema(request.output_schema)
    return body


def _call(
    server: Any,
    body: dict[str, Any],
    on_chunk: Callable[[Chunk], None] | None,
    abandoned: threading.Event,
    post: Post,
) -> Response:
    """One call, in a thread of its own. xllamacpp calls back for every chunk; True tells it to stop."""
    reply = StreamedReply()
    failure: list[BackendError] = []
    started = time.monotonic_ns()
    ttft_us: int | None = None

    def take(chunk: Any) -> bool:
        nonlocal ttft_us
        try:
            if isinstance(chunk, Mapping) and "error" in chunk:
                failure.append(_refused(chunk["error"]))
                return True
            text = reply.feed(chunk)
        except BackendError as error:  # an exception here would be lost inside xllamacpp
            failure.append(error)
            return True
        if text:
            if ttft_us is None:
                ttft_us = (time.monotonic_ns() - started) // 1000
            if on_chunk is not None:
                post(on_chunk, Chunk(text))
        return abandoned.is_set()

    try:
        with native_work(abandoned):
            answer = server.handle_chat_completions(body, take)
    except (ValueError, RuntimeError) as error:
        raise BackendError(str(error), code="bad-request") from error
    if isinstance(answer, Mapping) and "error" in answer:
        failure.append(_refused(answer["error"]))
    if failure:
        raise failure[0]
    response = reply.response()
    return Response(
        response.text,
        response.finish_reason,
        served_model=body["model"],  # llama.cpp says the path, which is nobody's business
        tokens_in=response.tokens_in,
        tokens_out=response.tokens_out,
        ttft_us=ttft_us,
        logprobs=response.logprobs,
        raw={**(response.raw or {}), "model": body["model"]},
    )


def _refused(error: Any) -> BackendError:
    said = error if isinstance(error, Mapping) else {"message": str(error)}
    message = str(said.get("message", said))
    limit, sent = said.get("n_ctx"), said.get("n_prompt_tokens")
    if said.get("type") == "exceed_context_size_error":
        return BackendError(
            f"the prompt has {sent} tokens, the model takes {limit}",
            code="context-overflow",
            body=str(dict(said)),
            remedy="shorten or split the input; or raise n_ctx (the slots share it) under [backends.embedded]",
        )
    return BackendError(message, code="bad-request", body=str(dict(said)))
