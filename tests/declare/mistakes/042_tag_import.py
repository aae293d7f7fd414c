# expect: code=template-tag line=here hint=import
from chainlab import chain, fill, prompt


@prompt("""Summarise.
{% import "macros.j2" as m %}{# <- here #}
{{ m.quote(text) }}""")
def summarise(text: str) -> str: return fill()


@chain
def brief(text: str) -> str:
    return summarise(text)
