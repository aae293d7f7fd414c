# expect: code=wrong-type line=here hint=words
from chainlab import chain, fill, prompt


@prompt("Write {{ words }} words about {{ topic }}.")  # <- here
def write(topic: str, words: int = "many") -> str: return fill()  # <- here


@chain
def page(topic: str) -> str:
    return write(topic)
