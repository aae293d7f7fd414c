# expect: code=wrong-type line=here hint=summaries
from chainlab import chain, fill, prompt


@prompt("Summarise:\n{{ text }}")
def summarise(text: str) -> str: return fill()


@prompt("Write an article from:\n{% for s in summaries %}- {{ s }}\n{% endfor %}")
def draft(summaries: list[str]) -> str: return fill()


@chain
def brief(text: str) -> str:
    return draft(summarise(text))  # <- here
