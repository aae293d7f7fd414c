# expect: code=bad-option line=here hint=template
from chainlab import chain, fill, prompt


@prompt("Write about {{ topic }}.")
def write(topic: str) -> str: return fill()


@prompt("Improve: {{ text }}")
def improve(text: str) -> str: return fill()


@prompt("")  # <- here
def greet() -> str: return fill()  # <- here


@chain
def page(topic: str) -> list[str]:
    return [greet(), write(topic), improve(topic)]
