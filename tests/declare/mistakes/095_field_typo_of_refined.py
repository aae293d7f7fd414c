# expect: code=unknown-field line=here hint=acepted | did you mean | accepted
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
def page(topic: str) -> tuple[str, bool]:
    done = refine(
        write(topic),
        review=critique,
        accept=lambda r: r.score >= 7,
        improve=lambda d, r: rewrite(d, r.issues),
    )
    return done.value, done.acepted  # <- here
