# expect: code=unused-input line=here hint=limit
from chainlab import chain, fill, prompt


@prompt("Write about {{ topic }}.")
def write(topic: str) -> str: return fill()


@prompt("Improve: {{ text }}")
def improve(text: str) -> str: return fill()


def best(texts: list[str], limit: int) -> str:
    return texts[0]


@chain  # <- here
def page(topic: str, limit: int) -> str:  # <- here
    return best([write(topic), improve("nothing")], limit)
