# expect: code=wrong-type line=here hint=kind
from typing import Literal

from pydantic import BaseModel

from chainlab import chain, fill, prompt


class Triage(BaseModel):
    kind: Literal["bug", "billing", "spam"]


@prompt("Classify: {{ ticket }}")
def triage(ticket: str) -> Triage: return fill()


@prompt("Answer this {{ kind }} ticket: {{ ticket }}")
def answer(ticket: str, kind: Literal["bug", "billing"]) -> str: return fill()


@chain
def support(ticket: str) -> str:
    return answer(ticket, triage(ticket).kind)  # <- here
