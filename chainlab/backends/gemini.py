"""Google's Gemini API (generateContent). Knows one try of one request; retries are above.

Typed output by `responseJsonSchema`. Source: Gemini API reference v1beta: GenerateContentRequest,
GenerateContentResponse, streamGenerateContent with alt=sse.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from chainlab.backends.chat import ServedModel, Server, ServerSettings
from chainlab.backends.completion import bad_request, count, error_said
from chainlab.backends.constraint import constraint_of, unquoted
from chainlab.backends.http import empty_response, protocol_error, stream_interrupted
from chainlab.messages import Chunk, Progress, Request, Response
from chainlab.protocols import ResolvedModel

if TYPE_CHECKING:
    import httpx

_TOP_LOGPROBS = 5
_BLOCKED = frozenset(
    "SAFETY RECITATION LANGUAGE BLOCKLIST PROHIBITED_CONTENT SPII IMAGE_SAFETY IMAGE_PROHIBITED_CONTENT".split()
)


class GeminiBackend:
    """Gemini, or a server that speaks its API."""

    kind = "gemini"
    pinned = False
    constraints = frozenset({"json", "choice", "regex"})
    most_samples: int | None = 8

    def __init__(self, settings: ServerSettings, *, transport: httpx.AsyncBaseTransport | None = None) -> None:
        self.name, self.concurrency = settings.name, settings.concurrency
        self.transport_retries, self.default_model = settings.retries, settings.default_model
        self.server = Server(settings, key_headers=lambda key: {"x-goog-api-key": key}, transport=transport)

    def identity(self, model: str, adapter: str | None) -> str:
        """The server's address and the model. What it does behind that cannot be known."""
        return f"gemini|{self.server.client.address}|{model}"

    def secrets(self) -> tuple[str, ...]:
        """The key, if it was read."""
        return self.server.secrets()

    async def prepare(self, model: ResolvedModel, report: Callable[[Progress], None]) -> None:
        """Check that there is a key. Makes no request. Raises ConfigError."""
        self.server.headers()

    async def send(self, request: Request, on_chunk: Callable[[Chunk], None] | None = None) -> Response:
        """One try of one request, streamed if somebody listens. Raises BackendError."""
        stream = on_chunk is not None
        method = "streamGenerateContent?alt=sse" if stream else "generateContent"
        path = f"/models/{quote(request.model.removeprefix('models/'), safe='')}:{method}"
        response = await self.server.call(path, content_body(request), StreamedContent(), read_content, on_chunk)
        constraint = constraint_of(request.output_schema)
        if constraint is None or constraint.kind != "regex":
            return response
        return replace(response, text=unquoted(response.text), more=tuple(map(unquoted, response.more)))

    async def served(self) -> tuple[ServedModel, ...]:
        """The models that the server says it has. Raises BackendError; ConfigError `missing-key`."""
        self.server.headers()
        data = await self.server.ask("GET", "/models?pageSize=200")
        try:
            return tuple(
                ServedModel(str(model["name"]).removeprefix("models/"), context=count(model.get("inputTokenLimit")))
                for model in data["models"]
            )
        except (LookupError, TypeError, AttributeError) as error:
            raise protocol_error("the list of models is not one", 200, str(data)) from error

    async def aclose(self) -> None:
        """Close the connections of this event loop."""
        await self.server.client.aclose()


def content_body(request: Request) -> dict[str, Any]:
    """The JSON body of a request. Raises BackendError for what the API cannot carry."""
    if request.adapter is not None:
        raise bad_request("Gemini serves no adapters by name", "name the tuned model as the model")
    system = [{"text": str(m["content"])} for m in request.messages if m["role"] == "system"]
    body: dict[str, Any] = {"contents": [_content(m) for m in request.messages if m["role"] != "system"]}
    if system:
        body["systemInstruction"] = {"parts": system}
    settings: dict[str, Any] = {
        "temperature": request.temperature,
        "topP": request.top_p,
        "maxOutputTokens": request.max_tokens,
        "seed": request.seed,
        "stopSequences": list(request.stop) or None,
        "candidateCount": request.n if request.n > 1 else None,
    }
    if request.logprobs:
        settings |= {"responseLogprobs": True, "logprobs": _TOP_LOGPROBS}
    constraint = constraint_of(request.output_schema)
    if constraint is not None:
        if constraint.kind == "grammar":
            raise bad_request("Gemini holds no reply to a grammar", "use a type, or a backend of kind vllm")
        schemas = {"choice": {"type": "string", "enum": constraint.value}}
        schema = schemas.get(constraint.kind, dict(request.output_schema or {}))
        settings |= {"responseMimeType": "application/json", "responseJsonSchema": schema}
    chosen = {key: value for key, value in settings.items() if value is not None}
    return {**body, "generationConfig": chosen} if chosen else body


def _content(message: Mapping[str, Any]) -> dict[str, Any]:
    content = message["content"]
    parts = [{"text": content}] if isinstance(content, str) else [_part(part) for part in content]
    return {"role": "model" if message["role"] == "assistant" else "user", "parts": parts}


def _part(part: Mapping[str, Any]) -> dict[str, Any]:
    if part["type"] != "image":
        return {"text": part["text"]}
    if part.get("url"):
        return {"fileData": {"fileUri": part["url"]}}
    return {"inlineData": {"mimeType": part["media_type"], "data": part["data"]}}


def read_content(data: Any, http_status: int | None = None, text: str = "") -> Response:
    """A whole reply. `text` is the reply as it came, for the trace. Raises BackendError."""
    if not isinstance(data, Mapping):
        raise protocol_error("the reply is JSON, but not an object", http_status, text)
    candidates = data.get("candidates")
    blocked = data.get("promptFeedback")
    if not candidates and isinstance(blocked, Mapping) and blocked.get("blockReason"):
        return _response(data, [], "content_filter", http_status)
    if not isinstance(candidates, list):
        raise protocol_error(error_said(data) or "the reply has no candidates", http_status, text)
    if not candidates:
        raise empty_response("the reply has an empty list of candidates", http_status, text)
    texts = [_written(candidate) for candidate in candidates]
    finish = _finish(candidates[0])
    if not texts[0] and finish not in ("length", "content_filter"):
        raise empty_response("the model wrote nothing", http_status, text)
    return _response(data, texts, finish, http_status)


def _response(data: Mapping[str, Any], texts: list[str], finish: str | None, http_status: int | None) -> Response:
    used = data.get("usageMetadata")
    used = used if isinstance(used, Mapping) else {}
    written, thought = count(used.get("candidatesTokenCount")), count(used.get("thoughtsTokenCount"))
    return Response(
        texts[0] if texts else "",
        finish,
        served_model=data["modelVersion"] if isinstance(data.get("modelVersion"), str) else None,
        tokens_in=count(used.get("promptTokenCount")),
        tokens_out=None if written is None and thought is None else (written or 0) + (thought or 0),
        tokens_cached=count(used.get("cachedContentTokenCount")),
        http_status=http_status,
        logprobs=_logprobs(data),
        raw=data,
        more=tuple(texts[1:]),
    )


def _parts(candidate: Any) -> list[Mapping[str, Any]]:
    content = candidate.get("content") if isinstance(candidate, Mapping) else None
    parts = content.get("parts") if isinstance(content, Mapping) else None
    return [part for part in parts if isinstance(part, Mapping)] if isinstance(parts, list) else []


def _written(candidate: Any) -> str:
    return "".join(str(part.get("text") or "") for part in _parts(candidate) if not part.get("thought"))


def _finish(candidate: Any) -> str | None:
    reason = candidate.get("finishReason") if isinstance(candidate, Mapping) else None
    if not isinstance(reason, str) or reason == "FINISH_REASON_UNSPECIFIED":
        return None
    if reason == "MAX_TOKENS":
        return "length"
    return "content_filter" if reason in _BLOCKED else "stop"


def _logprobs(data: Mapping[str, Any]) -> list[Mapping[str, Any]] | None:
    """Token probabilities in the form that the trace has them in."""
    candidates = data.get("candidates")
    first = candidates[0] if isinstance(candidates, list) and candidates else None
    found = first.get("logprobsResult") if isinstance(first, Mapping) else None
    chosen = found.get("chosenCandidates") if isinstance(found, Mapping) else None
    if not isinstance(chosen, list):
        return None
    tops = found.get("topCandidates") if isinstance(found, Mapping) else None
    tops = tops if isinstance(tops, list) else []
    out: list[Mapping[str, Any]] = []
    for index, token in enumerate(chosen):
        top = tops[index].get("candidates") if index < len(tops) and isinstance(tops[index], Mapping) else None
        out.append({**_token(token), "top_logprobs": [_token(one) for one in top or ()]})
    return out


def _token(token: Any) -> dict[str, Any]:
    found = token if isinstance(token, Mapping) else {}
    return {"token": found.get("token"), "logprob": found.get("logProbability")}


class StreamedContent:
    """Folds the chunks of a streamed reply, each a reply of its own form, into the whole one."""

    def __init__(self) -> None:
        self._parts: defaultdict[int, list[str]] = defaultdict(list)
        self._last: dict[int, dict[str, Any]] = {}
        self._head: dict[str, Any] = {}
        self._chosen: list[Any] = []
        self._top: list[Any] = []
        self.alive = 0

    @property
    def text(self) -> str:
        """What was written so far."""
        return "".join(self._parts[0])

    @property
    def finished(self) -> bool:
        """Whether the model said that it is done."""
        if "promptFeedback" in self._head and not self._last:
            return True
        return bool(self._last) and all(_finish(candidate) is not None for candidate in self._last.values())

    def feed(self, chunk: Any) -> str:
        """Take in one chunk; the text that it adds. Raises BackendError."""
        if not isinstance(chunk, Mapping):
            raise protocol_error("a chunk of the stream is not an object", None, repr(chunk))
        refusal = error_said(chunk)
        if refusal is not None:
            raise stream_interrupted(refusal, self.text)
        for key in ("usageMetadata", "modelVersion", "responseId"):
            if chunk.get(key) is not None:
                self._head[key] = chunk[key]
        blocked = chunk.get("promptFeedback")
        if isinstance(blocked, Mapping) and blocked.get("blockReason"):
            self._head["promptFeedback"] = blocked
        candidates = chunk.get("candidates")
        return "".join(map(self._candidate, candidates)) if isinstance(candidates, list) else ""

    def _candidate(self, candidate: Any) -> str:
        if not isinstance(candidate, Mapping):
            return ""
        index = candidate.get("index", 0)
        index = index if type(index) is int else 0
        kept = {key: value for key, value in candidate.items() if key not in ("content", "logprobsResult")}
        self._last[index] = {**self._last.get(index, {}), **kept}
        self.alive += bool(_parts(candidate))
        added = _written(candidate)
        if index == 0:
            self._probabilities(candidate.get("logprobsResult"))
        if added:
            self._parts[index].append(added)
        return added if index == 0 else ""

    def _probabilities(self, found: Any) -> None:
        if isinstance(found, Mapping):
            self._chosen += found.get("chosenCandidates") or ()
            self._top += found.get("topCandidates") or ()

    def content(self) -> dict[str, Any]:
        """The reply in the form of a whole one."""
        candidates = []
        for index in sorted(self._last):
            parts = [{"text": "".join(self._parts[index])}]
            candidates.append({**self._last[index], "content": {"role": "model", "parts": parts}})
        if candidates and self._chosen:
            candidates[0]["logprobsResult"] = {"chosenCandidates": self._chosen, "topCandidates": self._top}
        return {**self._head, "candidates": candidates}

    def response(self, http_status: int | None = None) -> Response:
        """The whole reply. Raises BackendError when the stream ended before the model was done."""
        if not self.finished:
            raise stream_interrupted("the stream ended before the model was done", self.text, http_status)
        return read_content(self.content(), http_status, self.text)
