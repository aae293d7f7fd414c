# expect: code=missing-argument line=here hint=body
from pydantic import BaseModel

from chainlab import chain, fill, make, prompt


class Report(BaseModel):
    title: str
    body: str


@prompt("Give a title about {{ topic }}.")
def name(topic: str) -> str: return fill()


@chain
def report(topic: str) -> Report:
    return make(Report, title=name(topic))  # <- here
