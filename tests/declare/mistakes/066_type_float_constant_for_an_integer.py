# expect: code=wrong-type line=here hint=limit
from chainlab import chain, fill, prompt, step


@prompt("List words about {{ topic }}.")
def words(topic: str) -> list[str]: return fill()


@step
def first(items: list[str], limit: int) -> list[str]:
    return items[:limit]


@chain
def few(topic: str) -> list[str]:
    return first(words(topic), limit=2.5)  # <- here
