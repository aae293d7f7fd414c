# expect: code=wrong-type line=here hint=title
from pydantic import BaseModel

from chainlab import chain, fill, make, prompt, step


class Report(BaseModel):
    title: str
    body: str


@prompt("Write about {{ topic }}.")
def write(topic: str) -> str: return fill()


@step
def count(text: str) -> int:
    return len(text.split())


@chain
def report(topic: str) -> Report:
    body = write(topic)
    return make(Report, title=count(body), body=body)  # <- here
