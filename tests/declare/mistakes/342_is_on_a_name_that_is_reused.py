# expect: code=ref-identity line=here hint=given
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
    found = find(text)
    other = say(found.title)
    if found is None:  # <- here
        other = say("nobody")
    found = "done"
    return other
