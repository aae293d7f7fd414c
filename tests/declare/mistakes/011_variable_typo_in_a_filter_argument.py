# expect: code=template-variable line=here hint=seperator | did you mean | separator
from chainlab import chain, fill, prompt


@prompt("Sort these words: {{ words | join(seperator) }}")  # <- here
def sort(words: list[str], separator: str = ", ") -> list[str]: return fill()


@chain
def sorted_words(words: list[str]) -> list[str]:
    return sort(words)
