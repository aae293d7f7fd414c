# expect: code=template-variable line=here hint=note | did you mean | notes
from chainlab import chain, fill, prompt


@prompt("""Write an article from these notes.

{% for n in note %}  {#- <- here #}
- {{ n }}
{% endfor %}
""")
def draft(notes: list[str]) -> str: return fill()


@chain
def article(notes: list[str]) -> str:
    return draft(notes)
