# expect: code=wrong-type line=here hint=tone | Tone
import enum

from chainlab import chain, fill, prompt


class Tone(enum.Enum):
    FORMAL = "formal"
    CASUAL = "casual"


@prompt("Write a {{ tone }} letter about {{ topic }}.")
def write(topic: str, tone: Tone) -> str: return fill()


@chain
def letter(topic: str) -> str:
    return write(topic, "polite")  # <- here
