# expect: code=wrong-type line=here hint=both
from chainlab import chain, fill, prompt


@prompt("Write about {{ topic }}.")
def write(topic: str) -> str: return fill()


@prompt("Rate from 1 to 10: {{ text }}")
def rate(text: str) -> int: return fill()


@chain  # <- here
def both(topic: str) -> tuple[str, int]:  # <- here
    text = write(topic)
    return rate(text), text  # <- here
