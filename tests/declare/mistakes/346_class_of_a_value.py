# expect: code=ref-identity line=here hint=route
from pydantic import BaseModel

from chainlab import chain, fill, prompt


class Team(BaseModel):
    title: str
    lead: str | None


@prompt("Find a team for {{ text }}.")
def find(text: str) -> Team: return fill()


@prompt("Say {{ s }}.")
def say(s: str) -> str: return fill()


@chain
def page(text: str) -> str:
    team = find(text)
    return say("x") if team.__class__ == Team else say(team.title)  # <- here
