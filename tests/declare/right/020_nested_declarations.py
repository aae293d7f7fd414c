"""A chain declared inside a function, with local models and postponed annotations."""
from __future__ import annotations

from pydantic import BaseModel

from chainlab import Chain, chain, fill, prompt


def build(language: str) -> Chain[[str], str]:
    class Word(BaseModel):
        word: str
        meaning: str

    @prompt("Give a word about {{ topic }}.")
    def word(topic: str) -> Word: return fill()

    @prompt("Explain {{ word.word }} in {{ language }}.")
    def explain(word: Word, language: str) -> str: return fill()

    @chain
    def lesson(topic: str) -> str:
        return explain(word(topic), language)

    return lesson


french, german = build("French"), build("German")
