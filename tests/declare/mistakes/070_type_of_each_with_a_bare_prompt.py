# expect: code=wrong-type line=here hint=text
from chainlab import chain, each, fill, prompt


@prompt("Give five lucky numbers for {{ name }}.")
def lucky(name: str) -> list[int]: return fill()


@prompt("Summarise: {{ text }}")
def summarise(text: str) -> str: return fill()


@chain
def numbers(name: str) -> list[str]:
    return each(lucky(name), summarise)  # <- here
