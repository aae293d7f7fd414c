# expect: code=dead-prompt line=here hint=improve
from chainlab import chain, each, fill, prompt


@prompt("Write about {{ topic }}.")
def write(topic: str) -> str: return fill()


@prompt("Improve: {{ text }}")
def improve(text: str) -> str: return fill()


@chain
def pages(topics: list[str]) -> list[str]:
    texts = each(topics, write)
    each(texts, improve)  # <- here
    return texts
