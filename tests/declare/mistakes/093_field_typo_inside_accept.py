# expect: code=unknown-field line=here hint=scroe | did you mean | score
from pydantic import BaseModel

from chainlab import chain, fill, prompt, refine


class Verdict(BaseModel):
    score: int
    issues: list[str]


@prompt("Write about {{ topic }}.")
def write(topic: str) -> str: return fill()


@prompt("Review {{ text }}")
def critique(text: str) -> Verdict: return fill()


@prompt("Improve {{ text }}: {{ issues }}")
def rewrite(text: str, issues: list[str]) -> str: return fill()


@chain
def page(topic: str) -> str:
    done = refine(
        write(topic),
        review=critique,
        accept=lambda r: r.scroe >= 7,  # <- here
        improve=lambda d, r: rewrite(d, r.issues),
    )
    return done.value
