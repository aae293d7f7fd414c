# expect: code=wrong-type line=here hint=brief
from chainlab import chain, each, fill, prompt


@prompt("Count the words of {{ text }}")
def count(text: str) -> int: return fill()


@chain  # <- here
def brief(texts: list[str]) -> list[str]:  # <- here
    return each(texts, count)  # <- here
