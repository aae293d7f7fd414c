# expect: code=template-path line=here hint=titel | did you mean | title
from pydantic import BaseModel

from chainlab import chain, fill, prompt


class Section(BaseModel):
    title: str
    body: str


@prompt("""{% macro show(s) %}
## {{ s.titel }}{# <- here #}
{{ s.body }}
{% endmacro %}
{% for section in sections %}{{ show(section) }}{% endfor %}
""")
def digest(sections: list[Section]) -> str: return fill()


@chain
def document(sections: list[Section]) -> str:
    return digest(sections)
