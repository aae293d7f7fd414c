# expect: code=bad-parameter line=here hint=loop
from chainlab import chain, fill, prompt


@prompt("This is round {{ loop }}: {{ text }}")  # <- here
def again(loop: int, text: str) -> str: return fill()  # <- here


@chain
def page(text: str) -> str:
    return again(1, text)
