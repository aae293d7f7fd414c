# expect: code=ref-operator line=here hint=@step
from chainlab import chain, fill, prompt


@prompt("Write about {{ topic }}.")
def write(topic: str) -> str: return fill()


@prompt("Improve: {{ text }}")
def improve(text: str) -> str: return fill()


@prompt("Write {{ count }} words about {{ topic }}.")
def words(topic: str, count: int) -> str: return fill()


@chain
def page(topic: str) -> str:
    return words(topic, int(write(topic)))  # <- here
