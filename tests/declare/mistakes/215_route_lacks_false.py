# expect: code=route-not-exhaustive line=here hint=false
from chainlab import chain, fill, prompt, route


@prompt("Write about {{ topic }}.")
def write(topic: str) -> str: return fill()


@prompt("Improve: {{ text }}")
def improve(text: str) -> str: return fill()


@prompt("Is this urgent? {{ ticket }}")
def urgent(ticket: str) -> bool: return fill()


@chain
def support(ticket: str) -> str:
    return route(urgent(ticket), {True: lambda: write(ticket)})  # <- here
