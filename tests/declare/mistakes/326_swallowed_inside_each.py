# expect: code=ref-operator line=here hint=template
from chainlab import chain, each, fill, prompt


@prompt("Write about {{ topic }}.")
def write(topic: str) -> str: return fill()


@prompt("Improve: {{ text }}")
def improve(text: str) -> str: return fill()


@chain
def pages(topics: list[str]) -> list[str]:
    def one(topic: str) -> str:
        try:
            return write("the history of " + topic)  # <- here
        except Exception:
            return write(topic)

    return each(topics, one)
