"""Branches and a bounded loop: answer a customer by what kind of message it is, and shorten the answer until it fits.

All ways through the chain are known and checked before the first call; a run takes one of them:

    route     one branch, by the label that `sort` gives; the other branches are `skipped`
    refine    `count` reviews the draft, `shorten` makes a new one, at most three reviews: `count@1`, `shorten@2`,
              `count@2` and so on
    when      what fits is signed; what does not is left to a person

The label and the drafts are the model's, the review is plain Python: no model is needed to count words, and which
drafts are accepted does not depend on what a model thinks of them.

Run it:              python 04_branch_and_refine.py
With your message:   chainlab run 04_branch_and_refine.py message="Where is my parcel?"
"""

import os
from pathlib import Path
from typing import Literal

from pydantic import BaseModel

from chainlab import chain, fill, prompt, refine, route, step, when

MESSAGE = (
    "I ordered a coffee grinder on Monday. It arrived this morning, but the jar is cracked and the motor makes a loud "
    "noise. I would like a new one, or my money back."
)
MOST_WORDS = 40


class Sorted(BaseModel):
    """A closed set of labels: the model is held to it, and the chain has a branch for each."""

    kind: Literal["complaint", "question", "thanks"]


class Count(BaseModel):
    """A review by plain Python."""

    words: int
    fits: bool


@prompt("A customer writes:\n\n{{ message }}\n\nWhat kind of message is it?", model="small", temperature=0, seed=1)
def sort(message: str) -> Sorted:
    return fill()


@prompt(
    "A customer complains:\n\n{{ message }}\n\nApologise in two sentences.",
    model="writer",
    temperature=0,
    seed=1,
    max_tokens=120,
)
def apologise(message: str) -> str:
    return fill()


@prompt(
    "A customer asks:\n\n{{ message }}\n\nAnswer in two sentences.",
    model="writer",
    temperature=0,
    seed=1,
    max_tokens=120,
)
def answer(message: str) -> str:
    return fill()


@step
def thank() -> str:
    return "Thank you for your kind words. We are glad that you like it."


@step
def count(draft: str) -> Count:
    words = len(draft.split())
    return Count(words=words, fits=words <= MOST_WORDS)


@prompt("Say this in one short sentence:\n\n{{ draft }}", model="writer", temperature=0, seed=1, max_tokens=60)
def shorten(draft: str) -> str:
    return fill()


@step
def sign(text: str) -> str:
    return f"{text.strip()}\n\nThe shop"


@step
def hand_over(text: str, words: int) -> str:
    return f"[{words} words, at most {MOST_WORDS} are allowed: somebody must look at this]\n\n{text.strip()}"


@chain
def reply(message: str) -> str:
    """A reply to a customer."""
    found = sort(message)
    draft = route(
        found.kind,
        {"complaint": lambda: apologise(message), "question": lambda: answer(message), "thanks": lambda: thank()},
    )
    short = refine(
        draft,
        review=lambda text: count(text),
        accept=lambda review: review.fits,
        improve=lambda text, _: shorten(text),
        max_rounds=3,
    )
    return when(short.accepted, lambda: sign(short.value), lambda: hand_over(short.value, short.review.words))


if __name__ == "__main__":
    os.chdir(Path(__file__).parent)  # the aliases are in the chainlab.toml of this folder
    run = reply.run_sync(message=MESSAGE)
    print(run.output)
    print()
    for found in run.steps.values():
        print(f"{found.path:<12} {found.status:<8} {found.cause_path or ''}".rstrip())
    print(f"\nsee every branch and round: chainlab inspect {run.id}")
