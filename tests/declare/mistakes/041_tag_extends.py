# expect: code=template-tag line=here hint=extends
from chainlab import chain, fill, prompt


@prompt("{% extends 'base.j2' %}\nSummarise: {{ text }}")  # <- here
def summarise(text: str) -> str: return fill()


@chain
def brief(text: str) -> str:
    return summarise(text)
