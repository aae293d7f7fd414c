# expect: code=missing-argument line=here hint=limit
from chainlab import chain, fill, prompt, step


@prompt("List words about {{ topic }}.")
def words(topic: str) -> list[str]: return fill()


@step
def first(items: list[str], *, limit: int) -> list[str]:
    return items[:limit]


@chain
def few(topic: str) -> list[str]:
    return first(words(topic))  # <- here
