# expect: code=template-variable line=here hint=txt | did you mean | text
from chainlab import chain, fill, prompt


@prompt("Summarise:\n\n{{ txt }}", model="small")  # <- here
def summarise(text: str) -> str: return fill()


@chain
def brief(text: str) -> str:
    return summarise(text)
