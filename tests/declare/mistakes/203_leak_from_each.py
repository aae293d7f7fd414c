# expect: code=ref-leak line=here hint=each
from chainlab import chain, each, fill, prompt


@prompt("Write about {{ topic }}.")
def write(topic: str) -> str: return fill()


@prompt("Improve: {{ text }}")
def improve(text: str) -> str: return fill()


@chain
def pages(topics: list[str]) -> str:
    texts = []

    def one(topic: str) -> str:
        text = write(topic)
        texts.append(text)
        return text

    each(topics, one)
    return improve(texts[0])  # <- here
