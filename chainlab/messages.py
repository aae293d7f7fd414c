"""What crosses the wire between the engine and a backend. Plain data; knows no backend."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel, ConfigDict

from chainlab.values.fact import fact


class Request(BaseModel):
    """One call of a model, as a backend receives it and as `ScriptedBackend` shows it to the reply function.

    `step` is the path of the step (`summarise[3]`), `model` the model name at the backend, `adapter` the adapter on it.
    `messages` are the rendered messages: `role`, and `content`, a text or a list of parts ({"type": "text", "text"} and
    {"type": "image", "url"} or {"type": "image", "data", "media_type"}, base64). `output_schema`: the JSON Schema that
    a reply must follow (None: plain text), `n` how many replies are wanted.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", protected_namespaces=(), defer_build=True)

    step: str
    model: str
    messages: Sequence[Mapping[str, Any]]
    output_schema: Mapping[str, Any] | None = None
    adapter: str | None = None
    temperature: float | None = None
    max_tokens: int | None = None
    stop: Sequence[str] = ()
    seed: int | None = None
    top_p: float | None = None
    logprobs: bool = False
    n: int = 1

    @classmethod
    def made(cls, fields: dict[str, Any]) -> Request:
        """A request of all its fields, which are known to be right: `model_construct` without looking for defaults."""
        request = cls.__new__(cls)
        object.__setattr__(request, "__dict__", fields)
        object.__setattr__(request, "__pydantic_fields_set__", _ALL_FIELDS)
        object.__setattr__(request, "__pydantic_extra__", None)
        object.__setattr__(request, "__pydantic_private__", None)
        return request


_ALL_FIELDS = set(Request.model_fields)  # shared by all: a copy of a request copies it, and nothing adds to it


@fact
class Chunk:
    """A piece of a streamed reply."""

    text: str


@fact
class Response:
    """A whole reply. `text` is what the model wrote; `raw` what the backend answered (JSON), for the trace.

    `finish_reason` is `stop`, `length`, `content_filter` or None when the backend did not say. Token counts are None
    when unknown; `tokens_cached` are those of the prompt that the backend had in a cache. `ttft_us` is microseconds to
    the first token. `more`: the other replies, where several were asked for. `gauges`: how busy the backend was.
    """

    text: str
    finish_reason: str | None = None
    served_model: str | None = None
    tokens_in: int | None = None
    tokens_out: int | None = None
    ttft_us: int | None = None
    http_status: int | None = None
    logprobs: Sequence[Mapping[str, Any]] | None = None
    raw: Mapping[str, Any] | None = None
    tokens_cached: int | None = None
    more: tuple[str, ...] = ()
    gauges: Mapping[str, float] | None = None


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a long preparation is (a download, loading a model).

    `total` is None when unknown; units are bytes or steps.
    """

    what: str
    done: int
    total: int | None = None
