# expect: code=wrong-type line=here hint=topic
from chainlab import chain, fill, prompt


@prompt("Write about {{ topic }}:\n{{ text }}")
def write(topic: str, text: str) -> str: return fill()


@chain
def page(text: str) -> str:
    return write(2026, text)  # <- here
