# expect: code=template-variable line=here hint=did you mean | errors
from chainlab import chain, fill, prompt


@prompt("Count {{ text }}.", feedback="Wrong: {{ eror }}. Again.")  # <- here
def count(text: str) -> int: return fill()


@chain
def page(text: str) -> int:
    return count(text)
