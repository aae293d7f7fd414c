# expect: code=template-path line=here hint=pair
from chainlab import chain, fill, prompt


@prompt("Compare {{ pair[0] }} with {{ pair[2] }}.")  # <- here
def compare(pair: tuple[str, str]) -> str: return fill()


@chain
def versus(pair: tuple[str, str]) -> str:
    return compare(pair)
