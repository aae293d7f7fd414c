"""vLLM: the OpenAI API and what vLLM alone has: LoRA adapters, constraints of any shape, exact counts, gauges.

Facts of vLLM 0.32 that this rests on, seen on a real server (tests/vllm): an adapter is listed as a model with its base
as `parent`; loading answers plain text; an adapter that was unloaded and a model that never was are the same 404; the
old names `guided_json`, `guided_choice` are ignored without a word.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from chainlab.backends.adapter import adapter_hash, check_adapter
from chainlab.backends.chat import ServedModel, ServerSettings
from chainlab.backends.completion import Dialect, count
from chainlab.backends.openai import OpenAIBackend
from chainlab.errors import BackendError, ConfigError
from chainlab.messages import Chunk, Progress, Request, Response
from chainlab.protocols import ResolvedModel

if TYPE_CHECKING:
    import httpx

GAUGES = {
    "vllm:num_requests_running": "running",
    "vllm:num_requests_waiting": "waiting",
    "vllm:kv_cache_usage_perc": "kv_cache",
}
_SAMPLE = re.compile(r"^(vllm:[a-z_]+)(?:\{[^}]*\})? ([0-9.eE+-]+)$", re.MULTILINE)
_GAUGES_S = 1.0  # a reply does not wait longer for them


class VllmBackend(OpenAIBackend):
    """One vLLM server. `gauges`: read its load with every call. `count_tokens`: count a prompt before it is sent."""

    kind = "vllm"
    constraints = frozenset({"json", "choice", "regex", "grammar"})

    def __init__(
        self,
        settings: ServerSettings,
        *,
        gauges: bool = False,
        count_tokens: bool = False,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        super().__init__(settings, structured="json_schema", transport=transport)
        self._dialect = Dialect(own_constraints=True)
        self._gauges, self._counts = gauges, count_tokens
        self._seen: dict[str, ServedModel] = {}  # what was served when it was last asked
        self._adapters: dict[str, ResolvedModel] = {}  # prepared, by the adapter's name
        self._places: dict[str, Path] = {}
        self._loading: dict[str, asyncio.Lock] = {}

    def learn(self, adapter: str, path: Path) -> None:
        """Note where an adapter's files are: their content is part of what answers."""
        self._places[adapter] = path

    def identity(self, model: str, adapter: str | None) -> str:
        """The server's address, the model, and the adapter with its content's hash, where that can be read."""
        path = self._places.get(adapter) if adapter is not None else None
        hashed = adapter_hash(path) if path is not None else None
        identity = super().identity(model, adapter)
        return identity if hashed is None else f"{identity}@{hashed.hex()}"

    # -- before a run --------------------------------------------------------------------------------------------------

    async def prepare(self, model: ResolvedModel, report: Callable[[Progress], None]) -> None:
        """Check that base and adapter are served and belong together; load the adapter where that is wanted.

        Raises ConfigError: what is not there, what is there, and the next action.
        """
        self.server.headers()
        try:
            served = {one.name: one for one in await self.served()}
        except BackendError as error:
            raise ConfigError(error.message, code=error.code, remedy=error.remedy) from error
        self._seen |= served
        if model.model not in served:
            bases = ", ".join(name for name, one in served.items() if one.parent is None) or "none"
            raise ConfigError(
                f"{self.name} does not serve {model.model!r}",
                code="model-not-found",
                remedy=f"it serves {bases}; start vLLM with --served-model-name {model.model}",
            )
        if model.adapter is not None:
            await self._prepare_adapter(model, model.adapter, served, report)

    async def _prepare_adapter(
        self, model: ResolvedModel, adapter: str, served: Mapping[str, ServedModel], report: Callable[[Progress], None]
    ) -> None:
        self._adapters[adapter] = model
        if adapter not in served:
            if not model.autoload:
                raise ConfigError(
                    f"{self.name} does not serve the adapter {adapter!r}",
                    code="adapter-not-found",
                    remedy=_how_to_serve(adapter, served, model),
                )
            report(Progress(f"loading adapter {adapter}", 0, 1))
            await self._load(model, adapter)
            report(Progress(f"loading adapter {adapter}", 1, 1))
            served = {one.name: one for one in await self._asked_again()}
        parent = served[adapter].parent if adapter in served else None
        if parent is not None and parent != model.model:
            raise ConfigError(
                f"the adapter {adapter!r} on {self.name} belongs to {parent!r}, not to {model.model!r}",
                code="adapter-mismatch",
                remedy=f"write {self.name}:{parent}+{adapter}",
            )
        self._seen |= served

    async def _asked_again(self) -> tuple[ServedModel, ...]:
        try:
            return await self.served()
        except BackendError as error:
            raise ConfigError(error.message, code=error.code, remedy=error.remedy) from error

    async def _load(self, model: ResolvedModel, adapter: str) -> None:
        """Load an adapter from its path, once for all who want it. Never over another: a new version is a new name."""
        async with self._loading.setdefault(adapter, asyncio.Lock()):
            if adapter in {one.name for one in await self._asked_again()}:
                return
            assert model.adapter_path is not None  # config.py refuses autoload without a path
            check_adapter(model.adapter_path, adapter)
            body = {"lora_name": adapter, "lora_path": str(model.adapter_path)}
            try:
                await self.server.ask("POST", "/load_lora_adapter", body)
            except BackendError as error:
                if "already been loaded" in error.message:  # another process was faster
                    return
                off = error.http_status == 404 and "lora" not in error.message.lower()
                raise ConfigError(
                    f"{self.name} does not load the adapter {adapter!r}: {error.message}",
                    code="adapter-not-loaded",
                    remedy="start vLLM with --enable-lora and VLLM_ALLOW_RUNTIME_LORA_UPDATING=1"
                    if off
                    else "the path is read by the server: it must be there too, and of at most --max-lora-rank",
                ) from error

    async def unload(self, adapter: str) -> None:
        """Let the server forget an adapter. Raises BackendError."""
        await self.server.ask("POST", "/unload_lora_adapter", {"lora_name": adapter})

    # -- a call --------------------------------------------------------------------------------------------------------

    async def send(self, request: Request, on_chunk: Callable[[Chunk], None] | None = None) -> Response:
        """One try of one request, streamed if somebody listens. Raises BackendError."""
        reading = asyncio.create_task(self._load_now()) if self._gauges else None
        try:
            if self._counts:
                await self._check_context(request)
            response = await super().send(request, on_chunk)
            return response if reading is None else replace(response, gauges=await reading)
        except BackendError as error:
            error.gauges = None if reading is None else await reading
            if error.code == "model-not-found":
                raise await self._missing(error, request) from error.__cause__
            raise
        finally:
            if reading is not None:
                reading.cancel()

    async def _check_context(self, request: Request) -> None:
        """Refuse what cannot fit before it is sent: the server's own tokeniser counts it."""
        if any(not isinstance(message["content"], str) for message in request.messages):
            return  # pictures are counted by the model
        tokens, limit = await self.count_tokens(request)
        asked = tokens + (request.max_tokens or 1)
        if limit is not None and asked > limit:
            reply = f" and {request.max_tokens} of the reply" if request.max_tokens else ""
            raise BackendError(
                f"the prompt is too long for {request.adapter or request.model}",
                code="context-overflow",
                expected=f"{limit} tokens at most",
                got=f"{tokens} tokens of the prompt{reply}",
                remedy="shorten or split the input, or lower max_tokens",
            )

    async def count_tokens(self, request: Request) -> tuple[int, int | None]:
        """The exact number of tokens of a prompt, and the model's limit. Raises BackendError."""
        body = {
            "model": request.adapter or request.model,
            "messages": [dict(message) for message in request.messages],
            "add_generation_prompt": True,
        }
        data = await self.server.ask("POST", self._beside("/tokenize"), body)
        found = data if isinstance(data, Mapping) else {}
        return count(found.get("count")) or 0, count(found.get("max_model_len"))

    async def _missing(self, error: BackendError, request: Request) -> BackendError:
        """An unknown model and an adapter that is gone are the same 404: what is served now, and was, tells them."""
        adapter = request.adapter
        try:
            served = {one.name: one for one in await self.served()}
        except (BackendError, ConfigError):
            return error
        if adapter is None or request.model not in served or (adapter in served and adapter not in self._seen):
            names = ", ".join(served) or "nothing"
            error.remedy = f"{self.name} serves {names}"
            return error
        prepared = self._adapters.get(adapter)
        gone = adapter in self._seen
        error.retryable = adapter in served  # another call has loaded it by now
        if gone and not error.retryable and prepared is not None and prepared.autoload:
            with suppress(ConfigError):
                await self._load(prepared, adapter)
                error.retryable = True
        error.message = (
            f"the adapter {adapter!r} was unloaded from {self.name} while it was in use"
            if gone
            else f"{self.name} does not serve the adapter {adapter!r}"
        )
        error.code = "adapter-unloaded" if gone else "model-not-found"
        error.args = (error.message,)
        error.remedy = _how_to_serve(adapter, served, prepared)
        return error

    async def _load_now(self) -> Mapping[str, float] | None:
        """How busy the server is; None where it does not say."""
        try:
            async with asyncio.timeout(_GAUGES_S):
                text = await self.server.ask("GET", self._beside("/metrics"))
        except (BackendError, TimeoutError):
            return None
        return read_gauges(text) if isinstance(text, str) else None

    def _beside(self, path: str) -> str:
        """An address beside the API: vLLM's own are not below /v1."""
        return self.server.client.address.removesuffix("/v1") + path


def read_gauges(text: str) -> dict[str, float]:
    """The gauges in a page of Prometheus metrics, added up over engines (the cache: the fullest)."""
    found: dict[str, float] = {}
    for name, value in _SAMPLE.findall(text):
        short = GAUGES.get(name)
        if short is not None:
            number = float(value)
            before = found.get(short, 0.0)
            found[short] = max(before, number) if short == "kv_cache" else before + number
    return found


def _how_to_serve(adapter: str, served: Mapping[str, ServedModel], model: ResolvedModel | None) -> str:
    loaded = ", ".join(name for name, one in served.items() if one.parent is not None) or "none"
    place = f"={model.adapter_path}" if model is not None and model.adapter_path is not None else "=PATH"
    return (
        f"adapters served: {loaded}; start vLLM with --enable-lora --lora-modules {adapter}{place}, "
        "or write path and autoload = true with the alias"
    )
