"""Wrong branches, loops and options."""
import enum
from typing import Literal

from pydantic import BaseModel
from chainlab import Lab, chain, each, fill, given, not_, prompt, refine, route, step, system, user, when

class Size(enum.Enum):
    SMALL = 1
    LARGE = 2
class Triage(BaseModel):
    kind: Literal["bug", "billing"]
    urgent: bool
    score: int
    owner: str | None

@prompt("{{ ticket }}")
def triage(ticket: str) -> Triage: return fill()
@prompt("{{ ticket }}")
def answer(ticket: str) -> str: return fill()
@prompt("{{ ticket }}")
def days(ticket: str) -> int: return fill()

@chain
def wrong_each(tickets: list[str]) -> list[str]:
    return each(tickets, days)  # error: mypy pyright
@chain
def wrong_item(tickets: list[str]) -> list[int]:
    return each(each(tickets, days), lambda n: days(n))  # error: mypy pyright
@chain
def wrong_items(ticket: str) -> list[str]:
    return each(days(ticket), answer)  # error: mypy pyright
@chain
def wrong_mode(tickets: list[str]) -> list[str]:
    return each(tickets, answer, on_error="ignore")  # error: mypy pyright
@chain
def wrong_when(ticket: str) -> str:
    return when(triage(ticket).urgent, then=lambda: answer(ticket), otherwise=lambda: days(ticket))  # error: mypy pyright
@chain
def wrong_when_without_otherwise(ticket: str) -> str:
    return when(triage(ticket).urgent, then=lambda: answer(ticket))  # error: mypy pyright
@chain
def wrong_condition(ticket: str) -> str:
    return when(answer(ticket), then=lambda: answer(ticket), otherwise=lambda: ticket)  # error: mypy pyright
@chain
def wrong_comparison(ticket: str) -> str:
    return when(triage(ticket).kind == "bugg", then=lambda: answer(ticket), otherwise=lambda: ticket)  # error: mypy
@chain
def wrong_order(ticket: str) -> str:
    return when(triage(ticket).score < "3", then=lambda: answer(ticket), otherwise=lambda: ticket)  # error: mypy pyright
@chain
def wrong_not(ticket: str) -> str:
    return when(not_(ticket), then=lambda: answer(ticket), otherwise=lambda: ticket)  # error: mypy pyright
@chain
def wrong_given(ticket: str) -> str | None:
    return given(triage(ticket).owner, then=lambda owner: days(owner))  # error: mypy pyright
@chain
def wrong_given_field(ticket: str) -> str | None:
    return given(triage(ticket).owner, then=lambda owner: owner.name)  # error: mypy pyright
@chain
def wrong_route(ticket: str) -> str:
    return route(triage(ticket).kind, ("bug", lambda: answer(ticket)), ("billing", lambda: days(ticket)))  # error: mypy pyright
@chain
def wrong_label(ticket: str) -> str:
    return route(triage(ticket).kind, {"bugg": lambda: answer(ticket), "billing": lambda: ticket})  # error: mypy
@chain
def wrong_refine(ticket: str) -> str:
    return refine(answer(ticket), triage, lambda r: r.score > 3, lambda d, r: days(d)).value  # error: mypy pyright
@chain
def wrong_accept(ticket: str) -> str:
    return refine(answer(ticket), triage, lambda r: r.scroe > 3, lambda d, r: answer(d)).value  # error: mypy pyright
@chain
def wrong_refined(ticket: str) -> str:
    done = refine(answer(ticket), triage, lambda r: r.score > 3, lambda d, r: answer(d))
    return done  # error: mypy pyright
@chain
def wrong_limit(ticket: str) -> str:
    return refine(answer(ticket), triage, lambda r: r.urgent, lambda d, r: answer(d), on_limit="raise").value  # error: mypy pyright

@prompt()  # error: mypy pyright
def without_template(text: str) -> str: return fill()
@prompt("{{ text }}", file="letter.j2")  # error: mypy pyright
def with_both(text: str) -> str: return fill()
@prompt("{{ text }}", temperatur=0.1)  # error: mypy pyright
def with_a_typo(text: str) -> str: return fill()
@prompt("{{ text }}", temperature="hot")  # error: mypy pyright
def with_a_wrong_option(text: str) -> str: return fill()
@prompt(messages=["{{ text }}"])  # error: mypy pyright
def with_plain_messages(text: str) -> str: return fill()
@prompt(messages=[system(), user("{{ text }}")])  # error: mypy pyright
def with_an_empty_message(text: str) -> str: return fill()
@step(effects="maybe")  # error: mypy pyright
def with_unknown_effects(text: str) -> str: return text
@step(model="big")  # error: mypy pyright
def with_a_model(text: str) -> str: return text

def main() -> None:
    answer.with_(temperatur=0)  # error: mypy pyright
    answer.with_(retries="2")  # error: mypy pyright
    wrong_each.with_(model="big")  # error: mypy pyright
    with Lab.open() as lab:
        lab.run_sync(answer, ticket=3)  # error: mypy pyright
        number: int = lab.run_sync(answer, "x").output  # error: mypy pyright
    print(number)
