# expect: code=template-syntax line=here hint=endif
from chainlab import chain, fill, prompt


@prompt("""Explain {{ topic }}.
Three paragraphs.
{% endif %}{# <- here #}
Begin now.
""")
def explain(topic: str) -> str: return fill()


@chain
def lesson(topic: str) -> str:
    return explain(topic)
