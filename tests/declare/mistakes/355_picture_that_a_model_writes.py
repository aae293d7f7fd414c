# expect: code=bad-result line=here hint=take Image as a parameter
from chainlab import Image, fill, prompt


@prompt("Draw {{ text }}.")  # <- here
def draw(text: str) -> list[Image]: return fill()
