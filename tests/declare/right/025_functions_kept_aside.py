"""Bodies may be named functions, partials, or prompts with options."""
from functools import partial

from chainlab import chain, each, fill, prompt, when


@prompt("{{ language }} {{ text }}")
def translate(language: str, text: str) -> str: return fill()


@prompt("{{ text }}")
def good(text: str) -> bool: return fill()


@prompt("{{ text }}")
def shorten(text: str) -> str: return fill()


@chain
def page(texts: list[str]) -> list[str]:
    french = each(texts, partial(translate, "French"))
    short = each(french, shorten.with_(model="small"))

    def keep() -> str:
        return short[0]

    return each(short, lambda t: when(good(t), then=keep, otherwise=partial(translate, "German", t)))
