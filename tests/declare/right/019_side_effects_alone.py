"""A @step whose result nothing uses is fine: it may publish."""
from chainlab import chain, each, fill, prompt, step


@prompt("{{ topic }}")
def write(topic: str) -> str: return fill()


@step(effects="never")
def publish(text: str, title: str) -> None:
    print(title, text)


@chain
def pages(topics: list[str], title: str) -> list[str]:
    texts = each(topics, write)
    each(texts, lambda text: publish(text, title))
    publish(texts[0], "first")
    return texts
