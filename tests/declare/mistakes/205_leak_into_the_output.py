# expect: code=ref-leak line=here hint=each
from chainlab import chain, each, fill, prompt


@prompt("Write about {{ topic }}.")
def write(topic: str) -> str: return fill()


@prompt("Improve: {{ text }}")
def improve(text: str) -> str: return fill()


@chain  # <- here
def pages(topics: list[str]) -> list[str]:  # <- here
    texts: list[str] = []

    def one(topic: str) -> str:
        texts.append(improve(topic))
        return write(topic)

    each(topics, one)
    return texts  # <- here
