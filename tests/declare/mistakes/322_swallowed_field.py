# expect: code=unknown-field line=here hint=titel | did you mean | title
from pydantic import BaseModel

from chainlab import chain, fill, prompt


@prompt("Write about {{ topic }}.")
def write(topic: str) -> str: return fill()


@prompt("Improve: {{ text }}")
def improve(text: str) -> str: return fill()


class Article(BaseModel):
    title: str
    body: str


@prompt("Write an article about {{ topic }}.")
def article(topic: str) -> Article: return fill()


@chain
def page(topic: str) -> str:
    a = article(topic)
    try:
        title = a.titel  # <- here
    except BaseException:
        title = a.body
    return improve(title)
