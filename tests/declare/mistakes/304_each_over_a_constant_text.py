# expect: code=bad-iterable line=here hint=list
from chainlab import chain, each, fill, prompt


@prompt("Write about {{ topic }}.")
def write(topic: str) -> str: return fill()


@prompt("Improve: {{ text }}")
def improve(text: str) -> str: return fill()


@chain
def page(topic: str) -> list[str]:
    text = write(topic)
    return each("abc", lambda letter: improve(text))  # <- here
