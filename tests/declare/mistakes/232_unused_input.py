# expect: code=unused-input line=here hint=language
from chainlab import chain, fill, prompt


@prompt("Write about {{ topic }}.")
def write(topic: str) -> str: return fill()


@prompt("Improve: {{ text }}")
def improve(text: str) -> str: return fill()


@chain  # <- here
def page(topic: str, language: str) -> str:  # <- here
    return write(topic)
