# expect: code=wrong-type line=here hint=support
from typing import Literal

from chainlab import chain, fill, prompt, route


@prompt("Classify: {{ ticket }}")
def triage(ticket: str) -> Literal["bug", "other"]: return fill()


@prompt("Answer: {{ ticket }}")
def answer(ticket: str) -> str: return fill()


@prompt("How many days will this take? {{ ticket }}")
def days(ticket: str) -> int: return fill()


@chain  # <- here
def support(ticket: str) -> str:  # <- here
    return route(  # <- here
        triage(ticket),
        ("bug", lambda: days(ticket)),
        ("other", lambda: answer(ticket)),
    )
