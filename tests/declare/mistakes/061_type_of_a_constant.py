# expect: code=wrong-type line=here hint=words
from chainlab import chain, fill, prompt


@prompt("Write {{ words }} words about {{ topic }}.")
def write(topic: str, words: int) -> str: return fill()


@chain
def page(topic: str) -> str:
    return write(topic, words="300")  # <- here
