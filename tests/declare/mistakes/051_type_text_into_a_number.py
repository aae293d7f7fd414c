# expect: code=wrong-type line=here hint=count
from chainlab import chain, fill, prompt


@prompt("How many words should a text about {{ topic }} have?")
def plan(topic: str) -> str: return fill()


@prompt("Write {{ count }} words about {{ topic }}.")
def write(topic: str, count: int) -> str: return fill()


@chain
def page(topic: str) -> str:
    count = plan(topic)
    return write(topic, count)  # <- here
