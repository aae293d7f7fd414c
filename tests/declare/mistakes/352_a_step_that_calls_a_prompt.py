# expect: code=wrong-place line=here hint=pass its output
from chainlab import chain, fill, prompt, step


@prompt("Say {{ s }}.")
def say(s: str) -> str: return fill()


@step
def shout(text: str) -> str:
    said = say(text)  # <- here
    return said.upper()


@chain
def page(text: str) -> str:
    return shout(text)
