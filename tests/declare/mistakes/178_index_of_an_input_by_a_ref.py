# expect: code=ref-index line=here hint=@step
from chainlab import chain, fill, prompt


@prompt("Write about {{ topic }}.")
def write(topic: str) -> str: return fill()


@prompt("Improve: {{ text }}")
def improve(text: str) -> str: return fill()


@prompt("Which of these fits best? {{ texts }}")
def best(texts: list[str]) -> int: return fill()


@chain
def pick(texts: list[str]) -> str:
    return improve(texts[best(texts)])  # <- here
