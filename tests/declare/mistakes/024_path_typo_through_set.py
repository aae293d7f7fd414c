# expect: code=template-path line=here hint=bdy | did you mean | body
from pydantic import BaseModel

from chainlab import chain, fill, prompt


class Article(BaseModel):
    title: str
    body: str


@prompt("""{% set a = article %}
# {{ a.title }}
{{ a.bdy }}{# <- here #}
""")
def shorten(article: Article) -> str: return fill()


@chain
def short(article: Article) -> str:
    return shorten(article)
