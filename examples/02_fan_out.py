"""One prompt for every item of a list, side by side: what do the reviews say?

`each` starts as many calls as the backend takes at once and gives results in the order of the items. With
`on_error="drop"` a review that cannot be summarised does not cost the others.

Run it:            python 02_fan_out.py
With your list:    chainlab run 02_fan_out.py reviews:='["Great lamp!", "It broke after a day."]'
"""

import os
from pathlib import Path

from chainlab import chain, each, fill, prompt, step

REVIEWS = [
    "I bought this grinder in May and use it every morning. It is quiet, and the coffee tastes better than ever. My "
    "neighbours, who used to hear the old one through the wall, are happy too.",
    "Nice to look at, but the handle came loose after a week. The shop sent me a new one within two days.",
    "I gave it to my father for his birthday. He says that it is heavier than it looks, and that he will keep it.",
]


@prompt(
    "A customer writes:\n\n{{ review }}\n\nIn one short sentence, what does the customer say?",
    model="writer",
    temperature=0,
    seed=1,
    max_tokens=60,
)
def summarise(review: str) -> str:
    return fill()


@step
def numbered(notes: list[str]) -> str:
    """Plain Python between prompts: no model is needed to number lines."""
    return "\n".join(f"{number}. {note.strip()}" for number, note in enumerate(notes, 1))


@chain
def overview(reviews: list[str]) -> str:
    """One line for every review."""
    return numbered(each(reviews, lambda review: summarise(review), on_error="drop"))


if __name__ == "__main__":
    os.chdir(Path(__file__).parent)  # the aliases are in the chainlab.toml of this folder
    run = overview.run_sync(reviews=REVIEWS)
    print(run.output)
    for step_run in run.steps.values():
        print(f"{step_run.path:<12} {step_run.status:<6} {(step_run.duration_us or 0) / 1e6:.1f} s")
