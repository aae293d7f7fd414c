# expect: code=wrong-place line=here hint=count | .fn
from chainlab import chain, fill, prompt, step


@prompt("Write about {{ topic }}.")
def write(topic: str) -> str: return fill()


@prompt("Improve: {{ text }}")
def improve(text: str) -> str: return fill()


@step
def count(words: str) -> int:
    return len(words.split())


@chain
def page(topic: str) -> int:
    return count(write(topic))


EXAMPLE = count("three little words")  # <- here
