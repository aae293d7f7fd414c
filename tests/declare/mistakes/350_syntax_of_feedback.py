# expect: code=template-syntax line=here hint=feedback
from chainlab import chain, fill, prompt


@prompt("Count {{ text }}.", feedback="Wrong: {% if %}")  # <- here
def count(text: str) -> int: return fill()


@chain
def page(text: str) -> int:
    return count(text)
