# expect: code=template-variable line=here hint=verbos | did you mean | verbose
from chainlab import chain, fill, prompt


@prompt("""Explain {{ topic }}.
{% if verbos %}Give three examples.{% endif %}{# <- here #}
""")
def explain(topic: str, verbose: bool = False) -> str: return fill()


@chain
def lesson(topic: str) -> str:
    return explain(topic, verbose=True)
