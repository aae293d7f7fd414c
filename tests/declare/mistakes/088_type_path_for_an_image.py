# expect: code=wrong-type line=here hint=photo | Image
from chainlab import Image, chain, fill, prompt


@prompt("Compare {{ photo }} with this text: {{ text }}")
def compare(photo: Image, text: str) -> str: return fill()


@chain
def compared(text: str) -> str:
    return compare("cat.png", text)  # <- here
