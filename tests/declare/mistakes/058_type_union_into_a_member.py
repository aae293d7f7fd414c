# expect: code=wrong-type line=here hint=number
from chainlab import chain, fill, prompt


@prompt("Which year, or which century, is meant? {{ question }}")
def when_was(question: str) -> int | str: return fill()


@prompt("What happened in {{ number }}?")
def events(number: int) -> list[str]: return fill()


@chain
def history(question: str) -> list[str]:
    return events(when_was(question))  # <- here
