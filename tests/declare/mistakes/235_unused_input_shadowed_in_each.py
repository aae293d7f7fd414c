# expect: code=unused-input line=here hint=topic
from chainlab import chain, each, fill, prompt


@prompt("Write about {{ topic }}.")
def write(topic: str) -> str: return fill()


@prompt("Improve: {{ text }}")
def improve(text: str) -> str: return fill()


@chain  # <- here
def pages(topics: list[str], topic: str) -> list[str]:  # <- here
    return each(topics, lambda topic: write(topic))
