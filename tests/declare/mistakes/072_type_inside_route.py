# expect: code=wrong-type line=here hint=urgency
from typing import Literal

from pydantic import BaseModel

from chainlab import chain, fill, prompt, route


class Triage(BaseModel):
    kind: Literal["bug", "other"]
    urgency: int


@prompt("Classify: {{ ticket }}")
def triage(ticket: str) -> Triage: return fill()


@prompt("Answer with urgency {{ urgency }}: {{ ticket }}")
def answer(ticket: str, urgency: int) -> str: return fill()


@chain
def support(ticket: str) -> str:
    t = triage(ticket)
    return route(t.kind, {
        "bug": lambda: answer(ticket, t.urgency),
        "other": lambda: answer(ticket, t.kind),  # <- here
    })
