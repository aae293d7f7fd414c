import enum
from typing import Literal

from pydantic import BaseModel

from chainlab import chain, fill, given, make, not_, prompt, route, when


class Size(enum.IntEnum):
    SMALL = 1
    LARGE = 2


class Triage(BaseModel):
    kind: Literal["bug", "billing", "other"]
    urgent: bool
    score: int
    size: Size
    owner: str | None
    maybe: Literal["x", "y"] | None


class Answer(BaseModel):
    text: str


@prompt("{{ ticket }}")
def triage(ticket: str) -> Triage: return fill()


@prompt("{{ ticket }}")
def answer(ticket: str) -> str: return fill()


@prompt("{{ ticket }}")
def days(ticket: str) -> int: return fill()


@chain
def support(ticket: str) -> tuple[str | int, str, str, str | None, Answer, str]:
    t = triage(ticket)
    a = route(t.kind, ("bug", lambda: answer(ticket)), ("billing", lambda: days(ticket)), ("other", lambda: "none"))
    b = route(t.urgent, {True: lambda: answer(ticket), False: lambda: ticket})
    c = route(t.size, {Size.SMALL: lambda: answer(ticket), Size.LARGE: lambda: answer(answer(ticket))})
    d = when((t.score >= 3) & (t.score < 7) | not_(t.urgent), then=lambda: answer(ticket))
    e = given(
        t.owner,
        then=lambda owner: make(Answer, text=answer(owner)),
        otherwise=lambda: make(Answer, text="nobody"),
    )
    f = route(t.maybe, {"x": lambda: answer(ticket)}, otherwise=lambda: when(t.kind == "bug", lambda: "b", lambda: ticket))
    return a, b, c, d, e, f
