"""How the API writes its answers: any text losslessly, one shape for every error, a tag to ask "anything new?" with."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from typing import Any

from fastapi.responses import Response

from chainlab.inspector.models import Problem, ProblemDetail


def encoded(body: object) -> bytes:
    """A dataclass as JSON bytes. Lone surrogates are escaped; there is no NaN (values travel as text)."""
    try:
        return _dumps(body, ascii_only=False).encode()
    except UnicodeEncodeError:
        return _dumps(body, ascii_only=True).encode()


def answer(body: object, *, tag: str | None = None, status: int = 200) -> Response:
    """An answer with an API model as its body."""
    headers = {} if tag is None else {"etag": tag}
    return Response(encoded(body), status, media_type="application/json", headers=headers)


def problem(status: int, code: str, message: str, headers: Mapping[str, str] | None = None) -> Response:
    """An error, in the one shape of all errors."""
    body = encoded(Problem(ProblemDetail(code, message)))
    return Response(body, status, headers=dict(headers or {}), media_type="application/json")


def unchanged(tag: str) -> Response:
    """What was asked for is as the page has it."""
    return Response(status_code=304, headers={"etag": tag})


def _dumps(body: object, *, ascii_only: bool) -> str:
    return json.dumps(body, default=_as_dict, ensure_ascii=ascii_only, allow_nan=False, separators=(",", ":"))


def _as_dict(value: object) -> dict[str, Any]:
    if is_dataclass(value) and not isinstance(value, type):
        return {field.name: getattr(value, field.name) for field in fields(value)}
    raise TypeError(f"{type(value).__name__} is no API model")
