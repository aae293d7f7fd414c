"""Models in this process: llama.cpp through xllamacpp. Knows GGUF files and one request at a time, not what asks.

xllamacpp always opens a loopback port beside the in-process interface. Nothing here uses it, so it is shut: a random
key, a random path before every route (else its health and a page's script answer without the key), and no origin.
"""

from __future__ import annotations

import os
import secrets
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from chainlab.backends import weights
from chainlab.backends.adapter import adapter_hash
from chainlab.backends.completion import Dialect, StreamedReply, request_body, schema_name
from chainlab.backends.constrain import grammar_schema
from chainlab.backends.constraint import constraint_of, unquoted
from chainlab.backends.daemon import Post, off_loop
from chainlab.backends.leaving import native_work
from chainlab.backends.loaded import Loaded, LoadedModels, default_memory
from chainlab.errors import BackendError, ConfigError
from chainlab.messages import Chunk, Progress, Request, Response
from chainlab.protocols import ResolvedModel

DEFAULT_MODEL = "smollm2-135m-instruct"

_SLOTS = 4
_CONTEXT = 8192  # tokens, shared out evenly among the slots
_BATCH = 64  # tokens of a prompt between two looks at whether it was cancelled (0.5 s); costs about 8% of prefill
_PROMPT_CACHE_MIB = 256  # llama.cpp would take up to 8 GiB


class EmbeddedBackend:
    """llama.cpp in process. A model loads once, when it is prepared, and again when another adapter on it is wanted.

    `memory_mb` bounds the models that are kept loaded: of those that nobody uses, the one used longest ago goes.
    """

    kind = "embedded"
    pinned = True
    default_model = DEFAULT_MODEL
    default_max_tokens = 256  # a small model may not find its end; a grammar does not give it one
    transport_retries = 0
    constraints = frozenset({"json", "choice", "regex", "grammar"})
    most_samples: int | None = 1  # its slots are shared: the engine asks again

    def __init__(
        self,
        *,
        name: str = "embedded",
        root: Path | None = None,
        concurrency: int | None = None,
        threads: int | None = None,
        n_ctx: int | None = None,
        memory_mb: int | None = None,
        download: weights.Download | None = None,
    ) -> None:
        self.name = name
        self.concurrency = concurrency or _SLOTS
        self._root = root or Path.cwd()
        self._threads = threads or default_threads()
        self._n_ctx = n_ctx or _CONTEXT
        self._download = download
        self._models = LoadedModels(memory_mb << 20 if memory_mb else default_memory())
        self._adapters: dict[str, Path] = {}  # by name, as the settings say
        self._loading = threading.Lock()

    @property
    def loaded(self) -> tuple[str, ...]:
        """The models that are loaded, the one used longest ago first."""
        return self._models.names

    def learn(self, adapter: str, path: Path) -> None:
        """Note where an adapter's file is."""
        self._adapters[adapter] = path

    def identity(self, model: str, adapter: str | None) -> str:
        """The content of the files decides the answer, not their names."""
        known = weights.BUILT_IN.get(model)
        content = known.sha256 if known is not None else weights.digest(weights.locate(model, self._root))
        if adapter is None:
            return f"embedded|{content}"
        path = self._adapters.get(adapter)
        hashed = adapter_hash(path) if path is not None else None
        return f"embedded|{content}+{hashed.hex() if hashed is not None else adapter}"

    async def prepare(self, model: ResolvedModel, report: Callable[[Progress], None]) -> None:
        """Fetch the weights if they are not there, and load them with the adapter. Raises ConfigError."""
        adapter = self._place_of(model.adapter) if model.adapter is not None else None
        if not self._models.has(model.model, model.adapter):
            await off_loop(
                lambda abandoned, post: self._load(model.model, adapter, report, abandoned, post), "chainlab-load"
            )

    def _place_of(self, adapter: str) -> tuple[str, Path]:
        path = self._adapters.get(adapter)
        if path is None or not path.is_file():
            raise ConfigError(
                f"the adapter {adapter!r} has no file" if path is None else f"the adapter {adapter!r} is not at {path}",
                code="no-adapter",
                remedy="write an alias with backend, base, adapter and path: path is a LoRA in GGUF format",
            )
        return adapter, path

    async def send(self, request: Request, on_chunk: Callable[[Chunk], None] | None = None) -> Response:
        """One reply. Raises BackendError."""
        _refuse_pictures(request)
        if not self._models.has(request.model, request.adapter):
            try:
                await self.prepare(ResolvedModel(None, self, request.model, request.adapter), lambda progress: None)
            except ConfigError as error:
                raise BackendError(error.message, code=error.code, remedy=error.remedy) from error
        with self._models.used(request.model) as found:
            body = _body(request, found.adapters)
            return await off_loop(
                lambda abandoned, post: _call(found.server, body, request, on_chunk, abandoned, post), "chainlab-model"
            )

    async def aclose(self) -> None:
        """Let go of the models. One in the middle of a reply goes when that reply ends."""
        gone = self._models.clear()
        if gone:
            await off_loop(lambda abandoned, post: gone.clear(), "chainlab-unload")

    def _load(
        self,
        model: str,
        adapter: tuple[str, Path] | None,
        report: weights.Report,
        abandoned: threading.Event,
        post: Post,
    ) -> None:
        while not self._loading.acquire(timeout=0.1):
            if abandoned.is_set():
                return
        try:
            if self._models.has(model, adapter and adapter[0]):
                return

            def tell(progress: Progress) -> None:
                post(report, progress)

            engine = _engine()
            path = weights.ensure(model, self._root, tell, abandoned, self._download)
            wanted = {**self._models.adapters(model), **({adapter[0]: adapter[1]} if adapter else {})}
            size = path.stat().st_size + sum(file.stat().st_size for file in wanted.values())
            self._models.make_room(model, size)
            what = model if adapter is None else f"{model}+{adapter[0]}"
            tell(Progress(f"loading {what}", 0, 1))
            self._models.add(model, Loaded(self._server(engine, path, list(wanted.values())), wanted, size))
            tell(Progress(f"loading {what}", 1, 1))
        finally:
            self._loading.release()

    def _server(self, engine: Any, path: Path, adapters: Sequence[Path]) -> Any:
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
        if adapters:
            params.lora_adapters = [_lora(engine, adapter) for adapter in adapters]
        try:
            return engine.Server(params)
        except Exception as error:
            what = " and ".join(map(str, (path, *adapters)))
            raise ConfigError(
                f"{what} cannot be loaded: {error}",
                code="bad-weights",
                remedy="it must be a model in GGUF format that this version of xllamacpp knows"
                if not adapters
                else "a model in GGUF format, and LoRA adapters in GGUF format that were made for it",
            ) from error


def _lora(engine: Any, path: Path) -> Any:
    info = engine.CommonAdapterLoraInfo()
    info.path, info.scale = str(path), 1.0
    return info


def _refuse_pictures(request: Request) -> None:
    if any(not isinstance(message["content"], str) for message in request.messages):
        raise BackendError(
            f"{request.model} takes no images",
            code="bad-request",
            remedy="name a model that sees, at a backend of another kind",
        )


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


_PLAIN = Dialect(structured="none")


def _body(request: Request, adapters: Mapping[str, Path]) -> dict[str, Any]:
    body = request_body(request, stream=True, dialect=_PLAIN)  # always streamed: only a stream can be cancelled
    body["model"] = request.model
    body["return_progress"] = True  # and only with these does it look up while it reads the prompt
    # An adapter that was loaded applies unless it is told not to: the scale is always sent.
    if adapters:
        body["lora"] = [{"id": index, "scale": float(name == request.adapter)} for index, name in enumerate(adapters)]
    constraint = constraint_of(request.output_schema)
    if constraint is not None and constraint.kind == "grammar":
        body["grammar"] = constraint.value
    elif constraint is not None:
        schema = grammar_schema(request.output_schema or {})
        named = {"name": schema_name(schema), "strict": True, "schema": schema}
        body["response_format"] = {"type": "json_schema", "json_schema": named}
    return body


def _call(
    server: Any,
    body: dict[str, Any],
    request: Request,
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
    constraint = constraint_of(request.output_schema)
    quoted = constraint is not None and constraint.kind == "regex"  # it wrote a JSON string of that pattern
    served = request.model if request.adapter is None else f"{request.model}+{request.adapter}"
    return replace(
        response,
        text=unquoted(response.text) if quoted else response.text,
        served_model=served,  # llama.cpp says the path, which is nobody's business
        ttft_us=ttft_us,
        raw={**(response.raw or {}), "model": served},
    )


def _refused(error: Any) -> BackendError:
    said = error if isinstance(error, Mapping) else {"message": str(error)}
    message = str(said.get("message", said))
    limit, sent = said.get("n_ctx"), said.get("n_prompt_tokens")
    if said.get("type") == "exceed_context_size_error":
        return BackendError(
            "the prompt is too long for the model",
            code="context-overflow",
            body=str(dict(said)),
            expected=f"{limit} tokens at most",
            got=f"{sent} tokens",
            remedy="shorten or split the input; or raise n_ctx (the slots share it) under [backends.embedded]",
        )
    return BackendError(message, code="bad-request", body=str(dict(said)))
