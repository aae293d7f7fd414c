"""What an HTTP status and its body mean, as one typed error. Pure; servers disagree on words: status first."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

from chainlab.errors import BackendError

_LONGEST_WAIT_S = 60.0
_KEPT = 2048


@dataclass(frozen=True, slots=True)
class _Said:
    """What the body says, where it is in one of the known forms."""

    message: str
    type: str
    code: str
    param: str


def error_of_status(
    status: int, headers: Mapping[str, str], content: bytes, backend: str, key_variable: str | None
) -> BackendError:
    """The error for a status that is not 200."""
    text = content.decode("utf-8", "replace")
    said = _said(text)
    code, retryable, remedy = _judge(status, said, backend, key_variable)
    return BackendError(
        f"{backend} answered {status}: {said.message}" if said.message else f"{backend} answered {status}",
        code=code,
        retryable=retryable,
        http_status=status,
        body=text[:_KEPT],
        remedy=remedy,
        retry_after_s=retry_after(headers) if retryable else None,
    )


def retry_after(headers: Mapping[str, str]) -> float | None:
    """How long the server asks to wait, in seconds and at most a minute."""
    asked = headers.get("retry-after")
    if asked is None:
        return None
    try:
        seconds = float(asked)
    except ValueError:
        try:
            when = parsedate_to_datetime(asked)
        except ValueError:
            return None
        if when.tzinfo is None:
            when = when.replace(tzinfo=UTC)
        seconds = (when - datetime.now(UTC)).total_seconds()
    return min(max(seconds, 0.0), _LONGEST_WAIT_S) if seconds == seconds else None


def _judge(status: int, said: _Said, backend: str, key_variable: str | None) -> tuple[str, bool, str]:
    """Code, whether trying again can help, and the next action."""
    if status in (402, 429):
        if status == 402 or "insufficient_quota" in (said.code, said.type) or "billing" in said.code:
            return "quota-exhausted", False, "check the plan and the balance at the provider"
        return "rate-limited", True, f"lower concurrency under [backends.{backend}]"
    if status in (401, 403):
        return "auth-failed", False, f"check {key_variable}" if key_variable else f"set api_key_env for {backend}"
    if status == 408 or (status >= 500 and status not in (501, 505)):
        return "unavailable", True, ""
    if 300 <= status < 400:
        return "bad-request", False, "redirects are not followed: write the final address as base_url"
    if _overflows(said):
        return "context-overflow", False, "shorten or split the input, or use a model with a larger context"
    if said.code == "model_not_found" or said.param == "model":
        return "model-not-found", False, f"name a model that {backend} serves"
    if status == 404:
        return "bad-request", False, "check base_url: it usually ends in /v1"
    return "bad-request", False, ""


def _overflows(said: _Said) -> bool:
    return (
        said.code == "context_length_exceeded"
        or said.param == "input_tokens"
        or said.type == "exceed_context_size_error"
        or "maximum context length" in said.message
    )


def _said(text: str) -> _Said:
    try:
        data: Any = json.loads(text)
    except (ValueError, RecursionError):
        return _Said("", "", "", "")
    error = data.get("error", data) if isinstance(data, dict) else {}
    if isinstance(error, str):
        return _Said(error, "", "", "")
    if not isinstance(error, dict):
        return _Said("", "", "", "")
    message = error.get("message") or error.get("detail") or ""
    parts = [message if isinstance(message, str) else json.dumps(message)]
    parts += [str(error.get(key) or "") for key in ("type", "code", "param")]
    return _Said(*parts)
