# expect: code=bad-parameter line=here hint=method
from chainlab import chain, fill, prompt


class Writer:
    @prompt("Write about {{ topic }}.")  # <- here
    def write(self, topic: str) -> str: return fill()  # <- here


@chain
def page(topic: str) -> str:
    return Writer().write(topic)
