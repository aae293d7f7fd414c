# expect: code=template-syntax line=here hint=esle
from chainlab import chain, fill, prompt


@prompt("""Explain {{ topic }}.
{% if short %}
One sentence.
{% esle %}{# <- here #}
Three paragraphs.
{% endif %}
""")
def explain(topic: str, short: bool) -> str: return fill()


@chain
def lesson(topic: str) -> str:
    return explain(topic, True)
