# expect: code=template-filter line=here hint=definedd | defined
from chainlab import chain, fill, prompt


@prompt("Summarise: {% if text is definedd %}{{ text }}{% endif %}")  # <- here
def summarise(text: str) -> str: return fill()


@chain
def brief(text: str) -> str:
    return summarise(text)
