"""The seams.

What the engine needs from a backend and a journal, what declared chains need from a lab, and how a model name becomes
a backend.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from chainlab.events import Event
    from chainlab.messages import Chunk, Progress, Request, Response


class Backend(Protocol):
    """Sends a Request, streams Chunks, returns a Response. It transports; it does not judge the answer.

    `kind` is its type (`embedded`, `openai`, `scripted`), `name` its name in the configuration. `concurrency` bounds
    the calls in flight. Cancelling the awaiting task must close the request.
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

    async def prepare(self, model: str, report: Callable[[Progress], None]) -> None:
        """Make `model` ready (download, load). Idempotent. Raises ConfigError with the command that helps."""
        ...

    async def send(self, request: Request, on_chunk: Callable[[Chunk], None] | None = None) -> Response:
        """One call. Raises BackendError."""
        ...

    async def aclose(self) -> None:
        """Release connections and models."""
        ...


@dataclass(frozen=True, slots=True)
class ResolvedModel:
    """A model reference, resolved: which backend answers, under which model name, with which adapter.

    `written` is what the author wrote (None: nothing; the default was taken). `max_tokens` is the default limit.
    """

    written: str | None
    backend: Backend
    model: str
    adapter: str | None = None
    max_tokens: int | None = None


class Models(Protocol):
    """Resolves what a step names as its model. Raises ConfigError that lists the known names."""

    def resolve(self, written: str | None) -> ResolvedModel: ...


class Journal(Protocol):
    """What the engine reports to.

    `emit` is ordered and returns at once; `durable` returns an awaitable that is done when everything emitted before
    is committed. Raises TraceWriteError from the awaitable.
    """

    def emit(self, event: Event) -> None: ...
    def durable(self) -> Awaitable[None]: ...


class Runner(Protocol):
    """What a declared chain, prompt or step needs to run itself; a Lab is one."""

    async def run(self, what: Any, /, *args: Any, **kwargs: Any) -> Any: ...
    def run_sync(self, what: Any, /, *args: Any, **kwargs: Any) -> Any: ...
    def stream(self, what: Any, /, *args: Any, **kwargs: Any) -> Any: ...
