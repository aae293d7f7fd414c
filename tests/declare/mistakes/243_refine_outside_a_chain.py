# expect: code=wrong-place line=here hint=refine | @chain
from chainlab import fill, prompt, refine


@prompt("Write about {{ topic }}.")
def write(topic: str) -> str: return fill()


@prompt("Improve: {{ text }}")
def improve(text: str) -> str: return fill()


done = refine(  # <- here
    "a first draft",
    review=improve,
    accept=lambda r: r == "good",
    improve=lambda d, r: improve(d),
)
