# expect: code=wrong-type line=here hint=patch
from pydantic import BaseModel

from chainlab import chain, fill, prompt, refine


class Patch(BaseModel):
    diff: str
    why: str


class Verdict(BaseModel):
    score: int
    issues: list[str]


@prompt("Propose a patch for:\n{{ code }}")
def propose(code: str) -> Patch: return fill()


@prompt("Review {{ patch.diff }}")
def critique(patch: Patch) -> Verdict: return fill()


@prompt("Improve {{ patch.diff }}: {{ issues }}")
def rewrite(patch: Patch, issues: list[str]) -> Patch: return fill()


@chain
def review(code: str) -> Patch:
    done = refine(
        propose(code),
        review=lambda d: critique(d.diff),  # <- here
        accept=lambda r: r.score >= 7,
        improve=lambda d, r: rewrite(d, r.issues),
    )
    return done.value
