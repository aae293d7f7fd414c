"""`Pattern` and `Grammar`: what a text is held to while a model writes it, where its backend can."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic_core import CoreSchema, core_schema

from chainlab.spec.reply import GRAMMAR
from chainlab.values.types import NoSchema


@dataclass(frozen=True)
class Pattern:
    """The whole text matches a regular expression: `Annotated[str, Pattern(r"[A-Z]{2}-[0-9]{4}")]`.

    Backends that can (vLLM, the built-in model; OpenAI in part) hold the model to it; the reply is checked in any case.
    One that is no regular expression is refused where it is used (`no-schema`).
    """

    regex: str

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        try:
            match = _Match(self.regex)
        except re.error as error:
            raise NoSchema(f"Pattern({self.regex!r}) is no regular expression: {error}") from None
        return core_schema.no_info_after_validator_function(match, handler(source))

    def __get_pydantic_json_schema__(self, core: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        # JSON Schema searches: this makes it the whole text.
        return {**handler(core), "pattern": f"^(?:{self.regex})$"}


@dataclass(frozen=True)
class Grammar:
    """The text follows a grammar: `Annotated[str, Grammar(text)]`, in the notation of the backend.

    The built-in model reads GBNF, vLLM what its structured outputs take (EBNF in GBNF's way). A backend that cannot
    leaves the text free: nothing else checks it.
    """

    text: str

    def __get_pydantic_json_schema__(self, core: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        return {**handler(core), GRAMMAR: self.text}


class _Match:
    """Checks a text; the JSON Schema says the same."""

    def __init__(self, regex: str) -> None:
        self._regex = regex
        self._compiled = re.compile(regex)

    def __call__(self, text: str) -> str:
        if self._compiled.fullmatch(text) is None:
            raise ValueError(f"should match {self._regex!r}")
        return text
