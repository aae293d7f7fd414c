# expect: code=each-body line=here hint=one
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
    def one(topic: str) -> str:  # <- here
        log(write(topic))
        return "done"  # <- here

    return each(topics, one)  # <- here
