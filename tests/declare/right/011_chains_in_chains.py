from chainlab import chain, each, fill, prompt


@prompt("{{ text }}")
def shorten(text: str) -> str: return fill()


@prompt("{{ a }} {{ b }}")
def join(a: str, b: str) -> str: return fill()


@chain
def twice(text: str, *, style: str = "plain") -> str:
    return shorten(join(shorten(text), style))


@chain(name="three-times", tags=["test"])
def thrice(text: str) -> str:
    return shorten(twice(text, style="kind"))


@chain
def all_of(texts: list[str]) -> list[str]:
    cheap = twice.with_(name="cheap", models={"shorten": "small"}, tags=["cheap"])
    return [cheap(texts[0]), twice(texts[0]), thrice(texts[1]), *[twice(texts[n]) for n in range(2)]]


@chain
def fan(texts: list[str]) -> list[str]:
    return each(each(texts, twice), lambda text: thrice(text))
