# expect: code=template-path line=here hint=titel | did you mean | title
from pydantic import BaseModel

from chainlab import chain, fill, prompt


class Section(BaseModel):
    title: str
    body: str


@prompt("""Summarise this document.

{% for s in sections %}
## {{ s.titel }}{# <- here #}
{{ s.body }}
{% endfor %}
""")
def digest(sections: list[Section]) -> str: return fill()


@chain
def document(sections: list[Section]) -> str:
    return digest(sections)
