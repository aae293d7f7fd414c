# expect: code=ref-iter line=here hint=@step
from chainlab import chain, fill, prompt


@prompt("Write about {{ topic }}.")
def write(topic: str) -> str: return fill()


@prompt("Improve: {{ text }}")
def improve(text: str) -> str: return fill()


@prompt("Give three numbers for {{ topic }}.")
def numbers(topic: str) -> list[int]: return fill()


@chain
def total(topic: str) -> int:
    return sum(numbers(topic))  # <- here
