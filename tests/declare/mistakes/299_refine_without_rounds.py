# expect: code=bad-option line=here hint=max_rounds
from chainlab import chain, fill, prompt, refine


@prompt("Write about {{ topic }}.")
def write(topic: str) -> str: return fill()


@prompt("Improve: {{ text }}")
def improve(text: str) -> str: return fill()


@chain
def page(topic: str) -> str:
    done = refine(  # <- here
        write(topic),
        review=improve,
        accept=lambda r: r == "good",
        improve=lambda d, r: improve(r),
        max_rounds=0,
    )
    return done.value
