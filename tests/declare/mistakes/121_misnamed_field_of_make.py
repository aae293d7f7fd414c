# expect: code=extra-argument line=here hint=titel | did you mean | title
from pydantic import BaseModel

from chainlab import chain, fill, make, prompt


class Report(BaseModel):
    title: str = "Untitled"
    body: str


@prompt("Write about {{ topic }}.")
def write(topic: str) -> str: return fill()


@chain
def report(topic: str) -> Report:
    return make(Report, titel="Report", body=write(topic))  # <- here
