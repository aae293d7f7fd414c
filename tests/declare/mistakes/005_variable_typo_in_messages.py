# expect: code=template-variable line=here hint=mesage | did you mean | message
from chainlab import assistant, chain, fill, prompt, system, user


@prompt(
    messages=[
        system("You name the mood of a message in one word."),
        user("I love it"),
        assistant("happy"),
        user("{{ mesage }}"),  # <- here
    ]
)
def mood(message: str) -> str: return fill()


@chain
def moods(message: str) -> str:
    return mood(message)
