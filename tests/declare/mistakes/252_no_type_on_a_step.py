# expect: code=missing-annotation line=here hint=words
from chainlab import chain, fill, prompt, step


@prompt("Write about {{ topic }}.")
def write(topic: str) -> str: return fill()


@prompt("Improve: {{ text }}")
def improve(text: str) -> str: return fill()


@step  # <- here
def count(words) -> int:  # <- here
    return len(words)


@chain
def page(topic: str) -> int:
    return count(write(topic))
