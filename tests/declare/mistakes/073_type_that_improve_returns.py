# expect: code=wrong-type line=here hint=improve | refine
from pydantic import BaseModel

from chainlab import Refined, chain, fill, prompt, refine


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
def rewrite(patch: Patch, issues: list[str]) -> str: return fill()


@chain
def review(code: str) -> Refined[Patch, Verdict]:
    return refine(  # <- here
        propose(code),
        review=lambda d: critique(d),
        accept=lambda r: r.score >= 7,
        improve=lambda d, r: rewrite(d, r.issues),  # <- here
    )
