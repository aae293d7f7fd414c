# expect: code=unknown-field line=here hint=summary
from chainlab import chain, fill, prompt


@prompt("Write about {{ topic }}.")
def write(topic: str) -> str: return fill()


@prompt("Improve: {{ text }}")
def improve(text: str) -> str: return fill()


@chain
def page(topic: str) -> str:
    text = write(topic)
    if hasattr(text, "summary"):  # <- here
        return topic
    return improve(text)
