"""Branches, loops and values: what each construct gives is known to type checkers."""
import enum
from typing import Literal, assert_type

from pydantic import BaseModel
from chainlab import Refined, chain, each, fill, given, make, not_, prompt, refine, route, when

class Size(enum.Enum):
    SMALL = 1
    LARGE = 2
class Triage(BaseModel):
    kind: Literal["bug", "billing"]
    urgent: bool
    score: int
    size: Size
    owner: str | None
class Answer(BaseModel):
    text: str
    score: int = 0

@prompt("{{ ticket }}")
def triage(ticket: str) -> Triage: return fill()
@prompt("{{ ticket }}")
def answer(ticket: str) -> str: return fill()
@prompt("{{ ticket }}")
def days(ticket: str) -> int: return fill()

@chain
def support(ticket: str) -> tuple[str | int, str, str, str | None, Answer]:
    t = triage(ticket)
    a = route(t.kind, ("bug", lambda: answer(ticket)), ("billing", lambda: days(ticket)))
    assert_type(a, str | int)
    b = route(t.urgent, {True: lambda: answer(ticket), False: lambda: ticket})
    c = route(t.size, {Size.SMALL: lambda: answer(ticket)}, otherwise=lambda: ticket)
    d = when((t.score >= 3) & not_(t.urgent), then=lambda: answer(ticket))
    assert_type(d, str | None)
    e = given(
        t.owner,
        then=lambda owner: make(Answer, text=answer(owner)),
        otherwise=lambda: make(Answer, text="nobody", score=days(ticket)),
    )
    assert_type(e, Answer)
    return a, b, c, d, e
@chain
def loops(tickets: list[str]) -> tuple[list[str | None], Refined[str, Triage]]:
    kept = each(tickets, answer, on_error="keep")
    assert_type(kept, list[str | None])
    dropped = each(tickets, answer, on_error="drop")
    assert_type(dropped, list[str])
    done = refine(dropped[0], triage, lambda r: r.score > 3, lambda d, r: answer(d), max_rounds=2, on_limit="keep")
    assert_type(done, Refined[str, Triage])
    return kept, done
def main() -> None:
    print(support.fn("x"))
