# expect: code=unknown-field line=here hint=reason | @step
from pydantic import BaseModel

from chainlab import chain, fill, prompt


class Accepted(BaseModel):
    text: str


class Refused(BaseModel):
    reason: str


@prompt("Accept or refuse: {{ request }}")
def decide(request: str) -> Accepted | Refused: return fill()


@prompt("Say no kindly: {{ reason }}")
def say_no(reason: str) -> str: return fill()


@chain
def office(request: str) -> str:
    return say_no(decide(request).reason)  # <- here
