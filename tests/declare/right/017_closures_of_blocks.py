"""Outer values in inner blocks, and one lambda for two uses."""
from chainlab import chain, each, fill, prompt, when


@prompt("{{ text }} {{ other }}")
def mix(text: str, other: str) -> str: return fill()


@prompt("{{ text }}")
def good(text: str) -> bool: return fill()


@chain
def deep(texts: list[str], name: str) -> list[list[str]]:
    first = mix(texts[0], name)

    def inner(text: str) -> list[str]:
        own = mix(text, first)
        return each(
            texts,
            lambda t: when(
                good(t),
                then=lambda: mix(own, t),
                otherwise=lambda: mix(mix(t, name), own),
            ),
        )

    return each(texts, inner)
