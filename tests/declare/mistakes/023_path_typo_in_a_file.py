# expect: code=template-path line=here file=path_typo.j2 hint=langage | did you mean | language
from pydantic import BaseModel

from chainlab import chain, fill, prompt


class Query(BaseModel):
    words: list[str]
    language: str


@prompt(file="path_typo.j2", model="small")
def search(query: Query) -> list[str]: return fill()


@chain
def find(query: Query) -> list[str]:
    return search(query)
