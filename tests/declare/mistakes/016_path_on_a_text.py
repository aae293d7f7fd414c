# expect: code=template-path line=here hint=summary | article
from chainlab import chain, fill, prompt


@prompt("Improve: {{ article.summary }}")  # <- here
def improve(article: str) -> str: return fill()


@chain
def better(article: str) -> str:
    return improve(article)
