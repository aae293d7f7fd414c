"""The built-in model held to each kind of type: what comes fits at once, whatever the prompt asks for."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Literal

import pytest
from pydantic import BaseModel

from chainlab import Grammar, Lab, Pattern, chain, fill, prompt
from chainlab.backends.embedded import EmbeddedBackend

pytestmark = pytest.mark.model


class Person(BaseModel):
    name: Annotated[str, Pattern("[A-Z][a-z]{2,8}")]
    mood: Literal["glad", "sad"]


@prompt("Write a poem about {{ word }}.", retries=0, max_tokens=400)  # its grammar lets it write spaces between parts
def person(word: str) -> Person:
    return fill()


@prompt("Write a poem about {{ word }}.", retries=0, max_tokens=10)
def mood(word: str) -> Literal["good", "bad", "neither, nor"]:
    return fill()


@prompt("Write a poem about {{ word }}.", retries=0, max_tokens=20)
def number(word: str) -> Annotated[str, Pattern(r"[0-9]{3}-[a-f]{2}")]:
    return fill()


@prompt("Write a poem about {{ word }}.", retries=0, max_tokens=20)
def term(word: str) -> Annotated[str, Grammar('root ::= digit " + " digit\ndigit ::= [0-9]')]:
    return fill()


@prompt("Write a poem about {{ word }}.", retries=0, max_tokens=8, n=2, seed=3)
def lines(word: str) -> list[str]:
    return fill()


@chain
def all_kinds(word: str) -> tuple[Person, str, str, str, list[str]]:
    return person(word), mood(word), number(word), term(word), lines(word)


def test_each_kind_fits_at_once(embedded: EmbeddedBackend, tmp_path: Path) -> None:
    with Lab.open(tmp_path / "t.db", default_model=embedded) as lab:
        run = lab.run_sync(all_kinds, word="the sea")
        run.raise_for_status()
        who, how, code, sum_, two = run.output
        assert re.fullmatch("[A-Z][a-z]{2,8}", who.name) and who.mood in ("glad", "sad")
        assert how in ("good", "bad", "neither, nor")
        assert re.fullmatch("[0-9]{3}-[a-f]{2}", code)
        assert re.fullmatch(r"[0-9] \+ [0-9]", sum_)
        assert len(two) == 2
        assert [step.attempts for path, step in run.steps.items() if path != "lines"] == [1, 1, 1, 1]
