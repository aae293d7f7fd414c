from chainlab import chain, fill, prompt, route


@prompt("{{ text }}")
def classify(text: str) -> str: return fill()


@prompt("{{ text }}")
def count(text: str) -> int: return fill()


@prompt("{{ text }}")
def answer(text: str) -> str: return fill()


@chain
def page(text: str) -> list[str]:
    kind = classify(text)
    return [
        route(kind, {"bug": lambda: answer(text), "billing": lambda: "bill"}, otherwise=lambda: text),
        route(count(text), {1: lambda: answer(text), 2: lambda: answer(kind)}, otherwise=lambda: answer(answer(text))),
    ]
