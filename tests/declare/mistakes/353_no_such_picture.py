# expect: code=bad-image line=here hint=another picture
from chainlab import Image, chain, fill, prompt


@prompt("Describe {{ photo }}.")
def describe(photo: Image) -> str: return fill()


@chain
def page(text: str) -> str:
    return describe(Image(path="nowhere.png"))  # <- here
