"""Constants may be computed, looped over and compared; helpers are inlined."""
from chainlab import chain, fill, prompt

STYLES = {"poem": "in verse", "essay": "in prose"}
DEBUG = False


@prompt("Write about {{ topic }} {{ style }}.")
def write(topic: str, style: str) -> str: return fill()


@prompt("{{ texts }}")
def best(texts: list[str]) -> str: return fill()


def styled(topic: str, kind: str) -> str:
    style = STYLES[kind]
    return write.with_(name=f"write-{kind}")(topic, style if style is not None else "plain")


@chain
def page(topic: str, language: str = "en") -> str:
    texts = [styled(topic, kind) for kind in sorted(STYLES) if isinstance(kind, str)]
    for number in range(2):
        texts.append(write(language, f"{number + 1} times"))
    if DEBUG and len(texts) > 3:
        texts = texts[:3]
    match DEBUG:
        case True:
            texts.pop()
        case _:
            pass
    assert texts, "some"
    try:
        extra = STYLES["novel"]
    except KeyError:
        extra = None
    if extra is None:
        texts += [write(topic, "briefly")]
    return best([*texts])
