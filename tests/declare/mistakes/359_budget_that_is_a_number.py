# expect: code=bad-option line=here hint=Budget(...)
from chainlab import chain, fill, prompt


@prompt("Write about {{ text }}.")
def write(text: str) -> str: return fill()


@chain(budget=5)  # <- here
def page(text: str) -> str:
    return write(text)
