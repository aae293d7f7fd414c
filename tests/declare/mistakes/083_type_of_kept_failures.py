# expect: code=wrong-type line=here hint=summaries
from chainlab import chain, each, fill, prompt


@prompt("Summarise: {{ text }}")
def summarise(text: str) -> str: return fill()


@prompt("{% for s in summaries %}{{ s }}\n{% endfor %}")
def combine(summaries: list[str]) -> str: return fill()


@chain
def corpus(texts: list[str]) -> str:
    summaries = each(texts, summarise, on_error="keep")
    return combine(summaries)  # <- here
