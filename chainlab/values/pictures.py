"""Pictures as values: what their JSON is, and files as such. Knows no model and no template.

The JSON is {"url", "media_type", "data"}: an address, or base64 with its media type; the others are null.
"""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Any

from chainlab.values.codec import Json

KEYWORD, IMAGE = "x-chainlab", "image"
"""What marks a picture in a JSON Schema."""

MOST_BYTES = 10 * 1024 * 1024
KINDS = "PNG, JPEG, GIF or WebP"
_FIELDS = {"url", "media_type", "data"}


class BadPicture(ValueError):
    """What cannot be a picture. The text says why."""


def media_type_of(data: bytes) -> str:
    """The media type, by the first bytes. Raises BadPicture."""
    if data.startswith(b"\x89PNG\r\n\x1a\n"):
        return "image/png"
    if data.startswith(b"\xff\xd8\xff"):
        return "image/jpeg"
    if data.startswith((b"GIF87a", b"GIF89a")):
        return "image/gif"
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return "image/webp"
    raise BadPicture(f"it is no {KINDS} file")


def of_bytes(data: bytes) -> dict[str, Json]:
    """The JSON of a picture. Raises BadPicture: too large, or no picture."""
    if len(data) > MOST_BYTES:
        raise BadPicture(f"it has {len(data):,} bytes, and may have {MOST_BYTES:,}: make it smaller")
    return {"url": None, "media_type": media_type_of(data), "data": base64.b64encode(data).decode()}


def of_file(path: Path) -> dict[str, Json]:
    """The JSON of a picture in a file. Raises BadPicture."""
    try:
        if path.stat().st_size > MOST_BYTES:
            raise BadPicture(f"it has {path.stat().st_size:,} bytes, and may have {MOST_BYTES:,}: make it smaller")
        return of_bytes(path.read_bytes())
    except OSError as error:
        raise BadPicture(f"it cannot be read: {error.strerror}") from None


def of_url(url: str) -> dict[str, Json]:
    """The JSON of a picture elsewhere; whoever gets it fetches it. Raises BadPicture."""
    if not url.lower().startswith(("https://", "http://")):
        raise BadPicture("its address must begin with https:// or http://")
    return {"url": url, "media_type": None, "data": None}


def is_picture(value: Json) -> bool:
    """Whether a JSON value has the form of a picture."""
    return isinstance(value, dict) and value.keys() == _FIELDS


def has_pictures(schema: Any) -> bool:
    """Whether values of a type may hold pictures."""
    if isinstance(schema, dict):
        return schema.get(KEYWORD) == IMAGE or any(has_pictures(part) for part in schema.values())
    return isinstance(schema, list) and any(has_pictures(part) for part in schema)


def said(value: Json) -> str:
    """A picture in a few words, for people."""
    if value.get("url"):
        return f"[picture: {value['url']}]"
    size = len(value.get("data") or "") * 3 // 4
    return f"[picture: {value.get('media_type')}, {size:,} bytes]"
