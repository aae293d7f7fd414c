# expect: code=ref-leak line=here hint=each
from chainlab import chain, each, fill, prompt


@prompt("Write about {{ topic }}.")
def write(topic: str) -> str: return fill()


@prompt("Improve: {{ text }}")
def improve(text: str) -> str: return fill()


@chain
def pages(topics: list[str]) -> tuple[list[str], str]:
    seen = {}

    def one(topic: str) -> str:
        seen["topic"] = topic
        return write(topic)

    texts = each(topics, one)
    return texts, improve(seen["topic"])  # <- here
