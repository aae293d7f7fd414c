# expect: code=template-tag line=here hint=import
from chainlab import chain, fill, prompt


@prompt("{% from 'macros.j2' import quote %}{{ quote(text) }}")  # <- here
def summarise(text: str) -> str: return fill()


@chain
def brief(text: str) -> str:
    return summarise(text)
