# expect: code=route-not-exhaustive line=here hint=casual
import enum

from chainlab import chain, fill, prompt, route


@prompt("Write about {{ topic }}.")
def write(topic: str) -> str: return fill()


@prompt("Improve: {{ text }}")
def improve(text: str) -> str: return fill()


class Tone(enum.Enum):
    FORMAL = "formal"
    CASUAL = "casual"


@prompt("Name the tone: {{ text }}")
def tone(text: str) -> Tone: return fill()


@chain
def letter(text: str) -> str:
    return route(tone(text), {Tone.FORMAL: lambda: improve(text)})  # <- here
