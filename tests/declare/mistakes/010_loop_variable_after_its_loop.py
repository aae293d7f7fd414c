# expect: code=template-variable line=here hint=`p` | loop
from chainlab import chain, fill, prompt


@prompt("""{% for p in passages %}
{{ p }}
{% endfor %}
The last one was {{ p }}.{# <- here #}
""")
def answer(passages: list[str]) -> str: return fill()


@chain
def ask(passages: list[str]) -> str:
    return answer(passages)
