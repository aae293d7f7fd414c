# expect: code=wrong-type line=here hint=score
from pydantic import BaseModel

from chainlab import chain, fill, make, prompt


class Report(BaseModel):
    body: str
    score: int


@prompt("Write about {{ topic }}.")
def write(topic: str) -> str: return fill()


@chain
def report(topic: str) -> Report:
    return make(Report, body=write(topic), score="high")  # <- here
