# expect: code=missing-argument line=here hint=language
from chainlab import chain, fill, prompt


@prompt("Write about {{ topic }} in {{ language }}.")
def write(topic: str, language: str) -> str: return fill()


@chain
def page(topic: str, language: str) -> str:
    return write(topic, language)


@chain
def two_pages(first: str, second: str) -> list[str]:
    return [page(first, "French"), page(second)]  # <- here
