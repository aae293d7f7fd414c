# expect: code=dead-prompt line=here hint=improve
from chainlab import chain, fill, prompt, when


@prompt("Write about {{ topic }}.")
def write(topic: str) -> str: return fill()


@prompt("Improve: {{ text }}")
def improve(text: str) -> str: return fill()


@prompt("Is this final? {{ text }}")
def final(text: str) -> bool: return fill()


@chain
def page(topic: str) -> str:
    text = write(topic)

    def again() -> str:
        improve(text)  # <- here
        return text

    return when(final(text), then=lambda: text, otherwise=again)
