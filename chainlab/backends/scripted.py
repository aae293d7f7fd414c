"""A backend whose replies are a Python function: for tests, docs and benchmarks. Knows no network and no model."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

from pydantic import BaseModel
from pydantic_core import PydanticSerializationError, to_jsonable_python

from chainlab.errors import BackendError
from chainlab.messages import Chunk, Progress, Request, Response
from chainlab.protocols import ResolvedModel
from chainlab.values.codec import encode


class ScriptedBackend:
    """Answers every request with what `reply(request)` returns: text, a model, JSON data, or an Exception to fail with.

    `reply` may be async. `requests` holds every request in the order it came.
    """

    kind = "scripted"
    pinned = True
    name = "scripted"
    concurrency = 10_000
    transport_retries = 0

    def __init__(self, reply: Callable[[Request], Any], /) -> None:
        self.requests: list[Request] = []
        self._reply = reply

    def identity(self, model: str, adapter: str | None) -> str:
        """A script has no identity beyond the model it plays."""
        return f"scripted|{model}" if adapter is None else f"scripted|{model}+{adapter}"

    async def prepare(self, model: ResolvedModel, report: Callable[[Progress], None]) -> None:
        """Nothing to do."""

    async def send(self, request: Request, on_chunk: Callable[[Chunk], None] | None = None) -> Response:
        """One scripted reply."""
        self.requests.append(request)
        try:
            reply = self._reply(request)
            if type(reply) is not str:  # text is the common case; an engine under measurement should see only itself
                if inspect.isawaitable(reply):
                    reply = await reply
                reply = _text(reply)
        except BackendError:
            raise
        except Exception as error:
            raise BackendError(f"{type(error).__name__}: {error}", code="scripted") from error
        if on_chunk is not None:
            on_chunk(Chunk(reply))
        return Response(reply, "stop")

    async def aclose(self) -> None:
        """Nothing to release."""


def _text(reply: Any) -> str:
    if isinstance(reply, str):
        return str(reply)
    if isinstance(reply, Exception):
        raise reply
    if isinstance(reply, BaseModel):
        return reply.model_dump_json(by_alias=True)
    if reply is None:
        raise BackendError(
            "the reply function returned None",
            code="scripted",
            remedy="return text, a pydantic model, a dict or list, or an Exception; for JSON null return 'null'",
        )
    try:
        return encode(to_jsonable_python(reply, by_alias=True)).decode()
    except (PydanticSerializationError, TypeError, ValueError) as error:
        raise BackendError(
            f"the reply function returned {type(reply).__name__}, which is not JSON: {error}",
            code="scripted",
            remedy="return text, a pydantic model, a dict or list, or an Exception",
        ) from error
