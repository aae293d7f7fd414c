# expect: code=wrong-type line=here hint=article | summary
from pydantic import BaseModel

from chainlab import chain, fill, prompt


class Draft(BaseModel):
    title: str
    body: str


class Article(BaseModel):
    title: str
    body: str
    summary: str


@prompt("Write about {{ topic }}.")
def write(topic: str) -> Draft: return fill()


@prompt("Publish {{ article.title }}: {{ article.summary }}\n{{ article.body }}")
def publish(article: Article) -> str: return fill()


@chain
def page(topic: str) -> str:
    return publish(write(topic))  # <- here
