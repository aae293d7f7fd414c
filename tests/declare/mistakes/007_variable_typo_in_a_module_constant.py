# expect: code=template-variable line=here hint=artcle | did you mean | article
from chainlab import chain, fill, prompt

CRITIQUE = """Critique this article.

{{ artcle }}{# <- here #}

Be brief.
"""


@prompt(CRITIQUE, model="editor")
def critique(article: str) -> str: return fill()


@chain
def review(article: str) -> str:
    return critique(article)
