import enum
from typing import Literal

from chainlab import chain, fill, prompt, step


class Tone(enum.Enum):
    FORMAL = "formal"
    CASUAL = "casual"


@prompt("Write {{ words }} {{ tone }} words in {{ language }} about {{ topic }} {{ ratio }} {{ hints }} {{ extra }}")
def write(
    topic: str,
    words: int = 300,
    *,
    tone: Tone = Tone.FORMAL,
    language: Literal["en", "fr"] = "en",
    ratio: float = 1,
    hints: list[str] | None = None,
    extra: dict[str, int | None] = {"a": None},
) -> str: return fill()


@step
def cut(text: str, /, limit: int = 10, *, end: str = "...") -> str:
    return text[:limit] + end


@chain
def page(topic: str, limit: int = 20) -> list[str]:
    first = write(topic)
    second = write(topic=topic, words=100, tone=Tone.CASUAL, language="fr", ratio=0.5, hints=["a", first])
    return [cut(first), cut(second, limit), cut(second, limit=3, end="")]
