"""A first chain of your own: find the topics of a text, note what it says about each, draw a conclusion.

Check it, without a model:  chainlab check chain.py
Run it:                     chainlab run chain.py
With a page of your own:    chainlab run chain.py text=@letter.txt
See every prompt and reply: chainlab inspect last
"""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, Field

from chainlab import chain, each, fill, prompt

TEXT = (
    "The old ferry to the island stops in May. The island wants a bridge, the town wants a new ferry, and nobody has"
    " said who pays. Until then the school bus goes around the bay, which takes an hour."
)


class Topics(BaseModel):
    """What a reply must look like. The model is held to it while it writes."""

    topics: list[Annotated[str, Field(min_length=3, max_length=40)]] = Field(min_length=1, max_length=3)


class Conclusion(BaseModel):
    """What comes out of the chain: typed, so that the next program can rely on it."""

    title: str = Field(min_length=3, max_length=60)
    summary: str = Field(min_length=3, max_length=200)


@prompt("List up to three topics of this text.\n\n{{ text }}", model="small", temperature=0, seed=1, max_tokens=300)
def extract(text: str) -> Topics:
    """One call with a typed reply."""
    return fill()


@prompt(
    "{{ text }}\n\nWhat does this text say about {{ topic }}? Answer in one sentence.",
    model="small",
    temperature=0,
    seed=1,
    max_tokens=60,
)
def note(topic: str, text: str) -> str:
    """One call for every topic."""
    return fill()


@prompt(
    "Notes:\n{% for line in notes %}- {{ line }}\n{% endfor %}\nWrite a title and a short summary of these notes.",
    model="small",
    temperature=0,
    seed=1,
    max_tokens=400,
)
def conclude(notes: list[str]) -> Conclusion:
    """One call over all notes."""
    return fill()


@chain
def brief(text: str = TEXT) -> Conclusion:
    """Three steps, known before the first call: names, types and variables are checked when the file is loaded."""
    found = extract(text)
    notes = each(found.topics, lambda topic: note(topic, text))
    return conclude(notes)


if __name__ == "__main__":
    run = brief.run_sync()
    print(run.output.title)
