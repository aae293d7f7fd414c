"""What an HTTP status and its body mean, as one typed error. Pure; servers disagree on words: status first.

Error bodies of OpenAI, vLLM, llama.cpp, Anthropic and Gemini are told apart by their fields, not by who sends them.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

from chainlab.backends.http import KEPT
from chainlab.errors import BackendError

LONGEST_WAIT_S = 60.0
_STATUS_OF_TYPE = {"rate_limit_error": 429, "api_error": 500, "overloaded_error": 529}  # Anthropic names no number
_QUOTA = ("insufficient_quota", "billing", "credit balance", "exceeded your current quota")
_NUMBERS = (
    # vLLM and OpenAI, Anthropic, Gemini: the limit and what was sent, in either order
    re.compile(r"maximum context length is (?P<limit>\d+).*?(?:contains at least|resulted in|requested) (?P<sent>\d+)"),
    re.compile(r"too long: (?P<sent>\d+) tokens > (?P<limit>\d+)"),
    re.compile(r"token count \(?(?P<sent>\d+)\)? exceeds the maximum number of tokens allowed \(?(?P<limit>\d+)"),
)


@dataclass(frozen=True, slots=True)
class _Said:
    """What the body says, where it is in one of the known forms."""

    message: str = ""
    type: str = ""
    code: str = ""
    param: str = ""
    limit: str | None = None
    sent: str | None = None
    wait_s: float | None = None
    per_day: bool = False


def error_of_status(
    status: int, headers: Mapping[str, str], content: bytes, backend: str, key_variable: str | None
) -> BackendError:
    """The error for a status that is not 200."""
    text = content.decode("utf-8", "replace")
    said = _said(text)
    code, retryable, remedy = _judge(status, said, backend, key_variable)
    limit, sent = (said.limit, said.sent) if code == "context-overflow" else (None, None)
    asked = retry_after(headers)
    return BackendError(
        f"{backend} answered {status}: {said.message}" if said.message else f"{backend} answered {status}",
        code=code,
        retryable=retryable,
        http_status=status,
        body=text[:KEPT],
        remedy=remedy,
        retry_after_s=(asked if asked is not None else said.wait_s) if retryable else None,
        expected=f"{limit} tokens at most" if limit else None,
        got=f"{sent} tokens" if sent else None,
    )


def status_within(data: Any) -> int | None:
    """The status that an error names in a reply whose own status was 200: how full queues and gateways answer."""
    error = data.get("error") if isinstance(data, Mapping) else None
    if not isinstance(error, Mapping):
        return None
    code = error.get("code", _STATUS_OF_TYPE.get(str(error.get("type"))))
    return code if type(code) is int and 400 <= code < 600 else None


def retry_after(headers: Mapping[str, str]) -> float | None:
    """How long the server asks to wait, in seconds and at most a minute."""
    milliseconds = headers.get("retry-after-ms")
    if milliseconds is not None:
        try:
            return _capped(float(milliseconds) / 1000)
        except ValueError:
            pass
    asked = headers.get("retry-after")
    if asked is None:
        return None
    try:
        return _capped(float(asked))
    except ValueError:
        try:
            when = parsedate_to_datetime(asked)
        except ValueError:
            return None
        if when.tzinfo is None:
            when = when.replace(tzinfo=UTC)
        return _capped((when - datetime.now(UTC)).total_seconds())


def _capped(seconds: float) -> float | None:
    return min(max(seconds, 0.0), LONGEST_WAIT_S) if seconds == seconds else None


def _judge(status: int, said: _Said, backend: str, key_variable: str | None) -> tuple[str, bool, str]:
    """Code, whether trying again can help, and the next action."""
    words = f"{said.code} {said.type} {said.message}".lower()
    if status == 402 or (status in (400, 403, 429) and any(word in words for word in _QUOTA)) or said.per_day:
        return "quota-exhausted", False, "check the plan and the balance at the provider"
    if status == 429:
        return "rate-limited", True, f"lower concurrency, or set requests_per_minute, under [backends.{backend}]"
    if status in (401, 403) or (status == 400 and "api key not valid" in words):
        return "auth-failed", False, f"check {key_variable}" if key_variable else f"set api_key_env for {backend}"
    if status in (408, 409) or (status >= 500 and status not in (501, 505)):
        return "unavailable", True, "try again later; the server's log says why"
    if 300 <= status < 400:
        return "bad-request", False, "redirects are not followed: write the final address as base_url"
    if _overflows(status, said):
        return "context-overflow", False, "shorten or split the input, or use a model with a larger context"
    if said.code == "model_not_found" or said.param == "model" or (status == 404 and said.type == "not_found_error"):
        return "model-not-found", False, f"name a model that {backend} serves (chainlab models lists them)"
    if status == 404 and "models/" in said.message:
        return "model-not-found", False, f"name a model that {backend} serves (chainlab models lists them)"
    if status == 404:
        return "bad-request", False, "check base_url: it usually ends in /v1"
    return "bad-request", False, "correct what the message names; the request stands in the trace"


def _overflows(status: int, said: _Said) -> bool:
    return (
        said.code == "context_length_exceeded"
        or said.param == "input_tokens"
        or said.type == "exceed_context_size_error"
        or status == 413
        or said.limit is not None
        or "maximum context length" in said.message
        or "prompt is too long" in said.message
    )


def _said(text: str) -> _Said:
    try:
        data: Any = json.loads(text)
    except (ValueError, RecursionError):
        return _Said()
    if isinstance(data, list) and data:  # Gemini's stream answers a refusal as a list of one
        data = data[0]
    error = data.get("error", data) if isinstance(data, dict) else {}
    if isinstance(error, str):
        return _Said(error)
    if not isinstance(error, dict):
        return _Said()
    message = error.get("message") or error.get("detail") or ""
    message = message if isinstance(message, str) else json.dumps(message)
    limit, sent = _numbers(error, message)
    wait_s, per_day = _details(error.get("details"))
    kind, code, param = (str(error.get(key) or "") for key in ("type", "code", "param"))
    return _Said(
        message,
        kind,
        code,
        param,
        limit=limit,
        sent=sent,
        wait_s=wait_s,
        per_day=per_day,
    )


def _numbers(error: Mapping[str, Any], message: str) -> tuple[str | None, str | None]:
    if "n_ctx" in error:  # llama.cpp says them apart
        return str(error["n_ctx"]), str(error.get("n_prompt_tokens", "")) or None
    for pattern in _NUMBERS:
        found = pattern.search(message)
        if found:
            return found["limit"], found["sent"]
    return None, None


def _details(details: Any) -> tuple[float | None, bool]:
    """Google's error details: how long to wait, and whether a day's quota is used up."""
    wait_s, per_day = None, False
    for detail in details if isinstance(details, list) else ():
        if not isinstance(detail, dict):
            continue
        delay = detail.get("retryDelay")
        if isinstance(delay, str) and re.fullmatch(r"\d+(\.\d+)?s", delay):
            wait_s = _capped(float(delay[:-1]))
        for violation in detail.get("violations") or ():
            per_day = per_day or (isinstance(violation, dict) and "PerDay" in str(violation.get("quotaId")))
    return wait_s, per_day
