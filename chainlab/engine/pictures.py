"""Pictures on their way through a template: it prints a mark, and what comes out of it is taken apart at the marks.

So a picture can be placed by any expression (`{{ photo }}`, a loop over `photos`), and its bytes pass no template.
"""

from __future__ import annotations

import json
import re
import secrets
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from chainlab.spec.chain import PromptStep
from chainlab.values.codec import Json
from chainlab.values.pictures import is_picture


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture in a step's inputs: of which parameter, where below it."""

    name: str
    path: tuple[str | int, ...]
    value: Mapping[str, Any]


class Pictures:
    """The pictures in the inputs of one prompt. `values` is what its templates get."""

    def __init__(self, step: PromptStep, values: Mapping[str, Json]) -> None:
        self._found: list[Picture] = []
        self._marks: re.Pattern[str] | None = None
        self.values = values
        if not step.pictured:
            return
        self._nonce = secrets.token_hex(8)  # nothing that a user or a model wrote can be taken for a mark
        self.values = {
            name: self._marked(name, (), value) if name in step.pictured else value for name, value in values.items()
        }
        if self._found:
            marks = (re.escape(json.dumps(self._mark(i), ensure_ascii=False)) for i in range(len(self._found)))
            self._marks = re.compile(f"({'|'.join(marks)})")

    def __bool__(self) -> bool:
        return bool(self._found)

    def parts(self, text: str) -> Iterator[str | Picture]:
        """A rendered text, taken apart."""
        if self._marks is None:
            yield text
            return
        for index, part in enumerate(self._marks.split(text)):
            if index % 2:
                yield self._found[int(json.loads(part)["data"].rpartition(":")[2])]
            elif part:
                yield self._unmarked(part)

    def _marked(self, name: str, path: tuple[str | int, ...], value: Json) -> Json:
        if is_picture(value):
            self._found.append(Picture(name, path, value))
            return self._mark(len(self._found) - 1)
        if isinstance(value, list):
            return [self._marked(name, (*path, index), item) for index, item in enumerate(value)]
        if isinstance(value, dict):
            return {key: self._marked(name, (*path, key), item) for key, item in value.items()}
        return value

    def _mark(self, index: int) -> dict[str, Json]:
        value = self._found[index].value
        return {**value, "data": f"{self._nonce}:{index}"}

    def _unmarked(self, text: str) -> str:
        """The text of a template that prints a picture's fields by themselves."""
        if self._nonce not in text:
            return text
        return re.sub(rf"{self._nonce}:(\d+)", lambda mark: str(self._found[int(mark[1])].value["data"]), text)
