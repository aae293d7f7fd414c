# expect: code=extra-argument line=here hint=ticket
from chainlab import chain, fill, prompt


@prompt("Answer kindly: {{ ticket }}")
def answer(ticket: str, /) -> str: return fill()


@chain
def support(ticket: str) -> str:
    return answer(ticket=ticket)  # <- here
