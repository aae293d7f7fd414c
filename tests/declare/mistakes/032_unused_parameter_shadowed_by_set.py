# expect: code=unused-parameter line=here hint=style
from chainlab import chain, fill, prompt


@prompt("{% set style = 'short' %}Write about {{ topic }}, {{ style }}.")  # <- here
def write(topic: str, style: str) -> str: return fill()  # <- here


@chain
def page(topic: str, style: str) -> str:
    return write(topic, style)
