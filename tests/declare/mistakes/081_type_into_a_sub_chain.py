# expect: code=wrong-type line=here hint=texts
from chainlab import chain, each, fill, prompt


@prompt("Summarise: {{ text }}")
def summarise(text: str) -> str: return fill()


@chain
def all_of(texts: list[str]) -> list[str]:
    return each(texts, summarise)


@chain
def again(text: str) -> list[str]:
    return all_of(summarise(text))  # <- here
