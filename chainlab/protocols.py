"""The seams.

What the engine needs from a backend and a journal, what declared chains need from a lab, and how a model name becomes
a backend.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from pathlib import Path

    from chainlab.events import Event
    from chainlab.messages import Chunk, Progress, Request, Response
    from chainlab.values.codec import Value


class Backend(Protocol):
    """Sends a Request, streams Chunks, returns a Response. It transports; it does not judge the answer.

    `kind` is its type (`embedded`, `openai`, `scripted`), `name` its name in the configuration. `concurrency` bounds
    the calls in flight. Cancelling the awaiting task must close the request.

    A backend may also have: `transport_retries`, how often the engine may try again what may pass (default 3);
    `most_samples`, how many replies one call can give (None: any number; default 1); `constraints`, what it can hold a
    reply to (of `json`, `choice`, `regex`, `grammar`); `secrets()`, what must never be written.
    """

    @property
    def kind(self) -> str: ...
    @property
    def name(self) -> str: ...
    @property
    def concurrency(self) -> int: ...

    @property
    def pinned(self) -> bool:
        """Whether `identity` covers the weights. A hosted model's cannot: it may change behind its name."""
        ...

    def identity(self, model: str, adapter: str | None) -> str:
        """What decides the answer besides the request: kind, base URL without secrets, model, adapter digest."""
        ...

    async def prepare(self, model: ResolvedModel, report: Callable[[Progress], None]) -> None:
        """Make `model` ready (download, load, check). Idempotent. Raises ConfigError with the command that helps."""
        ...

    async def send(self, request: Request, on_chunk: Callable[[Chunk], None] | None = None) -> Response:
        """One call. Raises BackendError."""
        ...

    async def aclose(self) -> None:
        """Release connections and models."""
        ...


@dataclass(frozen=True, slots=True)
class Limits:
    """What a backend may be asked per minute; None: as much as comes."""

    requests_per_minute: int | None = None
    tokens_per_minute: int | None = None


@dataclass(frozen=True, slots=True)
class ResolvedModel:
    """A model reference, resolved: which backend answers, under which model name, with which adapter.

    `written` is what the author wrote (None: nothing; the default was taken). `max_tokens` is the default limit.
    `adapter_path` is where the adapter's files are, `autoload` whether the backend is to load them. `cost` is the price
    of a reply in billionths of a unit (None: not known), from what it used; `adapter_hash` reads the adapter's content.
    """

    written: str | None
    backend: Backend
    model: str
    adapter: str | None = None
    max_tokens: int | None = None
    adapter_path: Path | None = None
    autoload: bool = False
    limits: Limits = Limits()
    cost: Callable[[Usage], int | None] | None = None
    adapter_hash: Callable[[], bytes | None] | None = None

    @property
    def identity(self) -> bytes:
        """What decides its answers besides the request."""
        return self.backend.identity(self.model, self.adapter).encode()


@dataclass(frozen=True, slots=True)
class Usage:
    """What one reply took, in tokens. `cached`: those of the prompt that the backend did not have to read again."""

    tokens_in: int
    tokens_out: int
    cached: int = 0


def identity_of(choices: Sequence[ResolvedModel]) -> bytes:
    """What decides the answers of a step with these models, first choice first."""
    if len(choices) == 1:
        return choices[0].identity
    return b"\0".join((b"fallback", *(model.identity for model in choices)))


class Models(Protocol):
    """Resolves what a step names as its model. Raises ConfigError that lists the known names."""

    def resolve(self, written: str | None) -> ResolvedModel: ...


class Journal(Protocol):
    """What the engine reports to.

    `emit` is ordered and returns at once; `durable` returns an awaitable that is done when everything emitted before
    is committed. `alone`: nothing else of the run can ask for a commit before this one is done. `durable` and its
    awaitable raise TraceWriteError.
    """

    def emit(self, event: Event) -> None: ...
    def durable(self, *, alone: bool = False) -> Awaitable[None]: ...


@dataclass(frozen=True, slots=True)
class Kept:
    """An output that was kept for the same request, and where it was made."""

    output: Value
    run_id: str
    path: str


class Results(Protocol):
    """Outputs kept across runs, for steps that ask for it; a store is one."""

    async def find(self, key: bytes) -> Kept | None:
        """The output kept under this key."""
        ...


class Runner(Protocol):
    """What a declared chain, prompt or step needs to run itself; a Lab is one."""

    async def run(self, what: Any, /, *args: Any, **kwargs: Any) -> Any: ...
    def run_sync(self, what: Any, /, *args: Any, **kwargs: Any) -> Any: ...
    def stream(self, what: Any, /, *args: Any, **kwargs: Any) -> Any: ...
