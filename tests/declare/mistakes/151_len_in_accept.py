# expect: code=ref-len line=here hint=@step
from chainlab import chain, fill, prompt, refine


@prompt("Write about {{ topic }}.")
def write(topic: str) -> str: return fill()


@prompt("Improve: {{ text }}")
def improve(text: str) -> str: return fill()


@chain
def page(topic: str) -> str:
    done = refine(
        write(topic),
        review=improve,
        accept=lambda r: len(r) < 500,  # <- here
        improve=lambda d, r: improve(r),
    )
    return done.value
