# expect: code=route-not-exhaustive line=here hint=otherwise
from chainlab import chain, fill, prompt, route


@prompt("Write about {{ topic }}.")
def write(topic: str) -> str: return fill()


@prompt("Improve: {{ text }}")
def improve(text: str) -> str: return fill()


@chain
def support(ticket: str) -> str:
    kind = write(ticket)
    return route(kind, {  # <- here
        "bug": lambda: write.with_(name="again")(ticket),
        "billing": lambda: improve(ticket),
    })
