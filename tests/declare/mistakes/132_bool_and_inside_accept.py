# expect: code=ref-bool line=here hint=&
from pydantic import BaseModel

from chainlab import chain, fill, prompt, refine


class Draft(BaseModel):
    text: str
    score: int
    final: bool
    tags: list[str]


@prompt("Write about {{ topic }}.")
def write(topic: str) -> Draft: return fill()


@prompt("Improve: {{ text }}")
def improve(text: str) -> str: return fill()


@prompt("Rewrite: {{ text }}")
def rewrite(text: str) -> Draft: return fill()


@chain
def page(topic: str) -> str:
    done = refine(
        write(topic),
        review=lambda d: rewrite(d.text),
        accept=lambda r: r.score >= 7 and r.final,  # <- here
        improve=lambda d, r: rewrite(r.text),
    )
    return done.value.text
