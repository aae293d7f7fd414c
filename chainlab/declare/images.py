"""`Image`: a picture as a prompt's input."""

from __future__ import annotations

import base64
import binascii
from os import PathLike
from pathlib import Path
from typing import Any, NoReturn

from pydantic import BaseModel, ConfigDict, Field, ModelWrapValidatorHandler, model_validator

from chainlab.declare.scope import refuse
from chainlab.declare.where import caller
from chainlab.values.pictures import IMAGE, KEYWORD, KINDS, MOST_BYTES, BadPicture, of_bytes, of_file, of_url


class Image(BaseModel):
    """A picture as an input: `Image(path="photo.png")`, `Image(data=some_bytes)` or `Image(url="https://...")`.

    `{{ photo }}` in a template places it. A file is read here, once: PNG, JPEG, GIF or WebP of 10 MiB at most, looked
    for in the working directory, then beside the calling file. What is at a URL the backend fetches. Raises ChainError
    `bad-image`. As JSON it has no path: only its author names files.
    """

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        defer_build=True,
        json_schema_extra={KEYWORD: IMAGE, "description": "A picture."},  # of the steps' definitions: not this text
    )

    url: str | None = None
    media_type: str | None = None
    data: str | None = Field(default=None, repr=False)
    """base64"""

    def __init__(
        self, *, path: str | PathLike[str] | None = None, url: str | None = None, data: bytes | str | None = None
    ) -> None:
        fields = _read(path, url, data)
        # As pydantic's own `model_construct` does: the fields are checked, and may be large.
        object.__setattr__(self, "__dict__", fields)
        object.__setattr__(self, "__pydantic_fields_set__", set(fields))
        object.__setattr__(self, "__pydantic_extra__", None)
        object.__setattr__(self, "__pydantic_private__", None)

    @model_validator(mode="wrap")
    @classmethod
    def _of_json(cls, given: Any, handler: ModelWrapValidatorHandler[Image]) -> Image:
        if not isinstance(given, dict):
            return handler(given) if not isinstance(given, cls) else given
        fields = {name: given.get(name) for name in ("url", "media_type", "data")}
        if "path" in given:
            raise ValueError("a picture as JSON has data and media_type, or url: a path is only for Image(path=...)")
        if given.keys() - fields.keys() or not all(part is None or isinstance(part, str) for part in fields.values()):
            raise ValueError("a picture as JSON has url, media_type and data, texts or null")
        if (fields["url"] is None) == (fields["data"] is None) or bool(fields["data"]) != bool(fields["media_type"]):
            raise ValueError("a picture as JSON has data with its media_type, or url")
        if fields["url"] is not None:
            of_url(fields["url"])  # raises a ValueError
        return cls.model_construct(**fields)

    @property
    def content(self) -> bytes | None:
        """The bytes; None of one that is elsewhere."""
        return None if self.data is None else base64.b64decode(self.data)


def _read(path: str | PathLike[str] | None, url: str | None, data: bytes | str | None) -> dict[str, Any]:
    given = {"path": path, "url": url, "data": data}
    named = [name for name, value in given.items() if value is not None]
    if len(named) != 1:
        _refuse(f"Image(...) has {' and '.join(named) or 'nothing'}", "one of path=, url= and data=")
    try:
        if path is not None:
            return of_file(_found(Path(path).expanduser()))
        if url is not None:
            return of_url(url)
        assert data is not None
        return of_bytes(base64.b64decode(data, validate=True) if isinstance(data, str) else data)
    except binascii.Error:
        _refuse("the data of an Image is text that is no base64", "bytes, or base64")
    except BadPicture as error:
        _refuse(f"Image({named[0]}={_short(given[named[0]])}): {error}", f"{KINDS}, {MOST_BYTES >> 20} MiB at most")


def _found(path: Path) -> Path:
    where = caller()
    if path.is_absolute() or path.exists() or where is None:
        return path
    beside = Path(where.file).parent / path
    return beside if beside.exists() else path


def _short(value: Any) -> str:
    return f"{len(value):,} bytes" if isinstance(value, bytes) else repr(str(value)[:80])


def _refuse(message: str, expected: str) -> NoReturn:
    refuse("bad-image", message, expected=expected, remedy="give it another picture, or correct the path")
