"""Graph questions about a plan: what a step uses, what uses it, bodies and sub-chains included."""

from __future__ import annotations

from chainlab import chain, each, fill, prompt
from chainlab.plan import compile


@prompt("words of {{ text }}")
def words_of(text: str) -> list[str]:
    return fill()


@prompt("about {{ word }}")
def about(word: str) -> str:
    return fill()


@prompt("join {{ parts }} {{ aside }}")
def join(parts: list[str], aside: str) -> str:
    return fill()


@chain
def inner(text: str) -> list[str]:
    return each(words_of(text), about)


@chain
def outer(text: str) -> str:
    return join(inner(text), about(text))


def test_downstream_is_what_uses_a_step_directly_or_not() -> None:
    plan = compile(inner.spec)
    assert plan.downstream("words_of") == {"each", "about"}
    assert plan.upstream("about") == {"each", "words_of"}


def test_a_sub_chain_is_one_step_of_its_chain() -> None:
    plan = compile(outer.spec)
    assert plan.upstream("join") == {"inner", "about"}
    assert plan.downstream("about") == {"join"}
    assert plan.downstream("inner/words_of") == {"inner/each", "inner/about"}


def test_every_step_is_found_by_its_static_path() -> None:
    paths = set(compile(outer.spec).by_path)
    assert paths == {"inner", "inner/words_of", "inner/each", "inner/about", "about", "join"}
