# expect: code=template-syntax line=here hint=endfor
from chainlab import chain, fill, prompt


@prompt("""Notes:
{% for n in notes %}{# <- here #}
- {{ n }}
That is all.{# <- here #}
""")  # <- here
def draft(notes: list[str]) -> str: return fill()


@chain
def article(notes: list[str]) -> str:
    return draft(notes)
