# expect: code=each-body line=here hint=return
from chainlab import chain, each, fill, prompt, step


@prompt("Write about {{ topic }}.")
def write(topic: str) -> str: return fill()


@prompt("Improve: {{ text }}")
def improve(text: str) -> str: return fill()


@step
def log(text: str) -> str:
    return text


@chain
def pages(topics: list[str]) -> list[str]:
    texts = each(topics, write)

    def one(text: str) -> None:  # <- here
        log(text)

    each(texts, one)  # <- here
    return texts
