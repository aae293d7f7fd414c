# expect: code=extra-argument line=here hint=model | with_
from chainlab import chain, fill, prompt


@prompt("Summarise: {{ text }}")
def summarise(text: str) -> str: return fill()


@chain
def brief(text: str) -> str:
    return summarise(text, model="big")  # <- here
