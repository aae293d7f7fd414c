# expect: code=bad-parameter line=here hint=method
from chainlab import chain, fill, prompt, step


@prompt("Write about {{ topic }}.")
def write(topic: str) -> str: return fill()


@prompt("Improve: {{ text }}")
def improve(text: str) -> str: return fill()


class Words:
    limit = 3

    @step  # <- here
    def count(self, text: str) -> int:  # <- here
        return len(text.split()) + self.limit


@chain
def page(topic: str) -> int:
    return Words().count(write(topic))
