# expect: code=no-schema line=here hint=Article
from chainlab import chain, fill, prompt


class Article:
    def __init__(self, title: str) -> None:
        self.title = title


@prompt("Write an article about {{ topic }}.")  # <- here
def article(topic: str) -> Article: return fill()  # <- here


@chain
def page(topic: str) -> Article:
    return article(topic)
