# expect: code=template-variable line=here hint=tickt | did you mean | ticket
from chainlab import chain, fill, prompt


@prompt(
    "Answer this ticket kindly, "  # <- here
    "in at most three sentences:\n\n"
    "{{ tickt }}",  # <- here
    model="small",
)
def answer(ticket: str) -> str: return fill()


@chain
def support(ticket: str) -> str:
    return answer(ticket)
