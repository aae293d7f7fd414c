# expect: code=ref-identity line=here hint=given
from chainlab import chain, fill, prompt


@prompt("Write about {{ topic }}.")
def write(topic: str) -> str: return fill()


@prompt("Improve: {{ text }}")
def improve(text: str) -> str: return fill()


@chain
def page(topic: str) -> str:
    if (text := write(topic)) is not None:  # <- here
        return text
    return improve(topic)
