# expect: code=route-not-exhaustive line=here hint=billing
from typing import Literal

from chainlab import chain, each, fill, prompt, route


@prompt("Write about {{ topic }}.")
def write(topic: str) -> str: return fill()


@prompt("Improve: {{ text }}")
def improve(text: str) -> str: return fill()


@prompt("Classify: {{ ticket }}")
def classify(ticket: str) -> Literal["bug", "billing", "other"]: return fill()


@chain
def support(tickets: list[str]) -> list[str]:
    def one(ticket: str) -> str:
        return route(classify(ticket), {"bug": lambda: write(ticket), "other": lambda: improve(ticket)})  # <- here

    return each(tickets, one)
