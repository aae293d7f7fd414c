from chainlab import chain, fill, prompt


@prompt("{{ text }}")
def improve(text: str) -> str: return fill()


@chain
def polish(text: str) -> str:
    again = improve.with_(name="again", model="big")
    return again(again(improve(improve(text))))
