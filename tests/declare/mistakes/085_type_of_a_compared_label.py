# expect: code=wrong-type line=here hint=bugg
from typing import Literal

from pydantic import BaseModel

from chainlab import chain, fill, prompt, when


class Triage(BaseModel):
    kind: Literal["bug", "billing"]


@prompt("Classify: {{ ticket }}")
def triage(ticket: str) -> Triage: return fill()


@prompt("Ask for steps: {{ ticket }}")
def ask(ticket: str) -> str: return fill()


@chain
def support(ticket: str) -> str:
    t = triage(ticket)
    return when(t.kind == "bugg", then=lambda: ask(ticket), otherwise=lambda: ticket)  # <- here
