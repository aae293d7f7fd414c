# expect: code=wrong-place line=here hint=count | module
from chainlab import chain, fill, prompt, step


@prompt("Write about {{ topic }}.")
def write(topic: str) -> str: return fill()


@prompt("Improve: {{ text }}")
def improve(text: str) -> str: return fill()


@chain
def page(topic: str) -> int:
    text = write(topic)

    @step  # <- here
    def count(words: str) -> int:  # <- here
        return len(words.split())

    return count(text)
