# expect: code=ref-bool line=here hint=when
from chainlab import chain, fill, prompt


@prompt("Write about {{ topic }}.")
def write(topic: str) -> str: return fill()


@prompt("Improve: {{ text }}")
def improve(text: str) -> str: return fill()


@chain
def page(topic: str) -> str:
    text = write(topic)
    try:
        if text == "":  # <- here
            text = improve("nothing")
    except Exception:
        pass
    return improve(text)
