"""A run that fails at its last step, and a replay that mends it: the failing prompt is edited, the rest is reused.

Every letter of the shop must bear a reference. The prompt forgot to say so, and the model cannot guess it, so `post`
refuses the letter. Then:

    plan      what a replay with an edited template would do; no model is called
    replay    `write` and `post` run again, `find` is reused: a fork of the failed run, which stays as it is
    by hand   where the model does not heed the edited template either, a person writes the letter, and `post` runs

Run it:               python 05_replay_a_failure.py
The same by command:  chainlab run 05_replay_a_failure.py
                      chainlab replay last-failed --step write --template @TEMPLATE.txt --module 05_replay_a_failure.py
"""

import os
from pathlib import Path

from pydantic import BaseModel, Field

from chainlab import Edit, Lab, chain, fill, prompt, step

REFERENCE = "[ref 2041]"
MESSAGE = "The grinder that I ordered on Monday arrived with a cracked jar. Please send me a new one."


class Found(BaseModel):
    """What the customer is writing about."""

    thing: str = Field(max_length=40)


@prompt("{{ message }}\n\nWhich thing is this about?", model="small", temperature=0, seed=1, max_tokens=200)
def find(message: str) -> Found:
    return fill()


@prompt(
    "Apologise in one sentence to a customer about the {{ thing }}.",
    model="writer",
    temperature=0,
    seed=1,
    max_tokens=60,
)
def write(thing: str) -> str:
    return fill()


@step
def post(letter: str) -> str:
    if not letter.startswith(REFERENCE):
        raise ValueError(f"the letter does not begin with {REFERENCE}")
    return letter


@chain
def answer(message: str = MESSAGE) -> str:
    """A letter that may be posted."""
    return post(write(find(message).thing))


if __name__ == "__main__":
    os.chdir(Path(__file__).parent)  # the aliases are in the chainlab.toml of this folder
    with Lab.open() as lab:
        failed = lab.run_sync(answer)
        assert failed.failure is not None
        print(f"run      {failed.status} at {failed.failure.path}: {failed.failure.error.message}")

        template = f"Begin with {REFERENCE}. Then apologise in one sentence to a customer about the {{{{ thing }}}}."
        edit = Edit(step="write", template=template)
        # chain=: functions of a file that runs as a program are found by no name, so the chain is given itself
        plan = lab.plan_replay(failed, edits=[edit], chain=answer).plan
        for found in plan.steps:
            print(f"plan     {found.action:<8} {found.path}  ({found.why})")

        fork = lab.replay_sync(failed, edits=[edit], chain=answer)
        print(f"replay   {fork.status}")
        if fork.status != "ok":
            by_hand = Edit(step="write", output=f"{REFERENCE} We are sorry. A new one is on its way.")
            fork = lab.replay_sync(failed, edits=[by_hand], chain=answer)
            print(f"by hand  {fork.status}")

        print(f"\n{fork.output}\n")
        for step_ in fork.steps.values():
            print(f"{step_.path:<6} {step_.status}")
        print(f"\nwhat the fork differs in: chainlab diff {fork.id}")
