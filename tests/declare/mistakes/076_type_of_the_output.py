# expect: code=wrong-type line=here hint=page
from pydantic import BaseModel

from chainlab import chain, fill, prompt


class Article(BaseModel):
    title: str
    body: str


@prompt("Write about {{ topic }}.")
def write(topic: str) -> str: return fill()


@chain  # <- here
def page(topic: str) -> Article:  # <- here
    return write(topic)  # <- here
