from typing import NamedTuple

from typing_extensions import TypedDict

from chainlab import chain, each, fill, prompt


class Place(NamedTuple):
    city: str
    people: int


class Cited(TypedDict, total=False):
    answer: str
    sources: list[str]


@prompt("{{ q }}")
def pair(q: str) -> tuple[str, int]: return fill()


@prompt("{{ q }}")
def place(q: str) -> Place: return fill()


@prompt("{{ q }}")
def cite(q: str) -> Cited: return fill()


@prompt("{{ q }}")
def lines(q: str) -> dict[str, list[str]]: return fill()


@prompt("{{ text }} {{ n }}")
def use(text: str, n: int) -> str: return fill()


@chain
def ask(q: str) -> list[str]:
    text, n = pair(q)
    where = place(q)
    city, people = where
    first, *_ = pair("x")
    c = cite(q)
    return [
        use(text, n),
        use(where.city, where.people),
        use(city, people),
        use(where[0], pair(q)[1]),
        use(c["answer"], 1),
        use(c["sources"][-1], 2),
        use(lines(q)["a"][0], 3),
        use(first, 4),
    ]
