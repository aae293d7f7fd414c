# expect: code=template-syntax line=here hint=}
from chainlab import chain, fill, prompt


@prompt("Summarise: {{ text }")  # <- here
def summarise(text: str) -> str: return fill()


@chain
def brief(text: str) -> str:
    return summarise(text)
