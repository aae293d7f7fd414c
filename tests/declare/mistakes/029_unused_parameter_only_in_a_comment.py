# expect: code=unused-parameter line=here hint=audience
from chainlab import chain, fill, prompt


@prompt("""Explain {{ topic }}.  # <- here
{# TODO: say it for {{ audience }} #}
""")
def explain(topic: str, audience: str) -> str: return fill()  # <- here


@chain
def lesson(topic: str, audience: str) -> str:
    return explain(topic, audience)
