# expect: code=bad-condition line=here hint=accept
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
        accept=lambda r: r,  # <- here
        improve=lambda d, r: improve(r),
    )
    return done.value
