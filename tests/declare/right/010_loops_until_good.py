from pydantic import BaseModel

from chainlab import Refined, chain, each, fill, prompt, refine, step


class Verdict(BaseModel):
    ok: bool
    score: int
    issues: list[str]


@prompt("{{ topic }}")
def write(topic: str) -> str: return fill()


@prompt("{{ text }}")
def critique(text: str) -> Verdict: return fill()


@prompt("{{ text }} {{ issues }}")
def rewrite(text: str, issues: list[str]) -> str: return fill()


@step
def long_enough(text: str) -> bool: return len(text) > 100


@chain
def page(topic: str) -> Refined[str, Verdict]:
    return refine(write(topic), critique, lambda r: (r.score >= 7) & r.ok, lambda d, r: rewrite(d, r.issues), max_rounds=2)


@chain
def pages(topics: list[str]) -> list[str]:
    return each(
        topics,
        lambda topic: refine(
            write(topic),
            review=long_enough,
            accept=lambda r: r,
            improve=lambda d, r: rewrite(d, ["longer"]),
            on_limit="fail",
        ).value,
    )
