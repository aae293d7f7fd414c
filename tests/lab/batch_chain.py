"""A chain to test batches on, what its models answer, and the process that is killed. Knows no test.

`python -m tests.lab.batch_child` runs it: see there.
"""

from __future__ import annotations

import json

from pydantic import BaseModel

from chainlab import Edit, Request, ScriptedBackend, chain, each, fill, prompt


class Score(BaseModel):
    score: int


@prompt("Note: {{ topic }}")
def note(topic: str) -> str:
    return fill()


@prompt("Old: {{ text }}", retries=0)
def judge(text: str) -> Score:
    return fill()


@prompt("Close: {{ score }}")
def close(score: int) -> str:
    return fill()


@chain
def brief(topic: str) -> str:
    return close(judge(note(topic)).score)


@prompt("Item: {{ topic }}", retries=0)
def item(topic: str) -> Score:
    return fill()


@chain
def many(topics: list[str]) -> list[Score | None]:
    return each(topics, lambda topic: item(topic), on_error="keep")


NEW = Edit(step="judge", template="New: {{ text }}")

# By topic: what `judge` answers to the old template and to the new one.
ANSWERS = {
    "fixed": ("no JSON", 7),
    "broken": (7, "no JSON"),
    "changed": (7, 8),
    "same": (7, 7),
    "still-failing": ("no JSON", "no JSON"),
}


def reply(request: Request) -> str:
    """What the models answer."""
    text: str = request.messages[-1]["content"]
    if text.startswith("Note: "):
        return text.removeprefix("Note: ")
    if text.startswith("Close: "):
        return f"closed with {text.removeprefix('Close: ')}"
    which, _, topic = text.partition(": ")
    answer = ANSWERS[topic.partition(" ")[0]][0 if which == "Old" else 1]
    return answer if isinstance(answer, str) else json.dumps({"score": answer})


def scripted() -> ScriptedBackend:
    """The models."""
    return ScriptedBackend(reply)


def asked(backend: ScriptedBackend) -> list[str]:
    """What was sent, in order."""
    return [request.messages[-1]["content"] for request in backend.requests]
