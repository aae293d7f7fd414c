# expect: code=missing-argument line=here hint=text
from chainlab import chain, fill, prompt


@prompt("Write about {{ topic }}.")
def write(topic: str) -> str: return fill()


@prompt("Improve: {{ text }}")
def improve(text: str) -> str: return fill()


@chain
def page(topic: str) -> str:
    text = write(topic)
    try:
        return improve()  # <- here
    except Exception as error:
        raise RuntimeError("could not improve") from error
    finally:
        improve(text)
