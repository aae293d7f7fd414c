"""The chain of `chainlab demo`: an ordinary user's file, written with nothing but the public API.

Written for a very small model: short prompts, one task each, and types that a grammar can hold it to.
"""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import BaseModel, Field

from chainlab import chain, each, fill, prompt, step

MOST_PARTS = 6
MOST_WORDS = 400  # in a part
MOST_COST = 1600  # of a part, see _cost: with prompt and reply it must fit a context of 2048 tokens
LONGEST_WORD = 40  # characters; longer ones, and scripts without spaces, are read in pieces


class Parts(BaseModel):
    """A text in pieces that a small model can read."""

    parts: list[str]
    words_read: int
    words_left_out: int


class Card(BaseModel):
    """What the model makes of a text: typed, so the next program can rely on it."""

    title: str = Field(min_length=3, max_length=60)
    points: list[Annotated[str, Field(min_length=3, max_length=150)]] = Field(min_length=1, max_length=3)


class Digest(BaseModel):
    """The card, and how much of the text it stands for."""

    card: Card
    parts: int
    read: str


@step
def split(text: str) -> Parts:
    """Cut a text into at most 6 parts of at most 400 words, and count what had to be left out."""
    words = words_of(text)
    parts: list[list[str]] = [[]]
    cost = 0
    for word in words:
        own = _cost(word)
        if len(parts[-1]) == MOST_WORDS or cost + own > MOST_COST:
            if len(parts) == MOST_PARTS:
                break
            parts.append([])
            cost = 0
        parts[-1].append(word)
        cost += own
    read = sum(len(part) for part in parts)
    return Parts(parts=[" ".join(part) for part in parts], words_read=read, words_left_out=len(words) - read)


@prompt("Summarise this text in one sentence.\n\n{{ part }}", temperature=0, seed=7, max_tokens=60)
def summarise(part: str) -> str:
    """One part in a sentence."""
    return fill()


@prompt(
    "Notes:\n{% for note in notes %}- {{ note }}\n{% endfor %}\nWrite a title and three short points from these notes.",
    temperature=0,
    seed=7,
    max_tokens=900,
)
def make_card(notes: list[str]) -> Card:
    """A card from the notes of all parts."""
    return fill()


@step
def report(card: Card, parts: Parts, notes: list[str]) -> Digest:
    """Say how much of the text the card stands for."""
    total = parts.words_read + parts.words_left_out
    read = f"all of it ({total} words)" if total != 1 else "all of it (one word)"
    if parts.words_left_out:
        limit = f"{MOST_PARTS} parts of {MOST_WORDS} words, fewer where the text is dense"
        read = f"{parts.words_read} of {total} words; {parts.words_left_out} were left out ({limit})"
    silent = len(parts.parts) - len(notes)
    if silent:
        read += f"; {silent} of {len(parts.parts)} parts gave no summary"
    return Digest(card=card, parts=len(notes), read=read)


@chain(tags=["demo"])
def digest(text: str) -> Digest:
    """Split a text, summarise its parts side by side, make a card of the summaries."""
    pieces = split(text)
    notes = each(pieces.parts, lambda part: summarise(part), on_error="drop")
    return report(make_card(notes), pieces, notes)


def words_of(text: str) -> list[str]:
    """The words of a text, endless ones in pieces."""
    return re.findall(rf"\S{{1,{LONGEST_WORD}}}", text)


def _cost(word: str) -> int:
    """At most how many tokens a word may cost, roughly: half a token a letter, one for every other byte."""
    letters = sum(1 for char in word if char.isascii() and char.isalpha())
    return (letters + 1) // 2 + len(word.encode()) - letters + 1
