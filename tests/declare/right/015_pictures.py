from chainlab import Image, chain, each, fill, given, prompt


@prompt("Compare {{ a }} with {{ b }}.", model="vision")
def compare(a: Image, b: Image) -> str: return fill()


@prompt("Describe{% for photo in photos %} {{ photo }}{% endfor %}")
def describe(photos: list[Image]) -> str | None: return fill()


@chain
def album(photos: list[Image]) -> list[str]:
    logo = Image(path="logo.png")
    text = given(describe(photos), then=lambda t: t, otherwise=lambda: "nothing")
    return [text, compare(photos[0], logo), each(photos, lambda p: compare(p, Image(url="https://example.org/x.png")))[0]]
