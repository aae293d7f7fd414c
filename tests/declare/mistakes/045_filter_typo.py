# expect: code=template-filter line=here hint=trimm | did you mean | trim
from chainlab import chain, fill, prompt


@prompt("Summarise: {{ text | trimm }}")  # <- here
def summarise(text: str) -> str: return fill()


@chain
def brief(text: str) -> str:
    return summarise(text)
