"""A typed result with a rule of your own: what happens to replies that break it.

The model can be held to JSON of the right shape. It cannot be held to a rule that only your code knows: here, that a
subject line begins with the mark by which a mail program sorts. The prompt does not say so, on purpose, so the first
reply breaks the rule. That is a failed attempt; what is wrong is sent back to the model in the words of `feedback`,
and it may try again (`retries=2`). What the tries come to is a state of the step, never a guess:

    ok        a reply kept the rule, here a second or third one
    failed    no reply kept it: `output-invalid`, with what was expected and what came

`on_error="keep"` lets the other messages go on; the failed one is None, and plain Python decides what stands in for
it. The built-in model has 135 million parameters: it often repeats its reply instead of correcting it. With a larger
one the same program says `ok after 2 attempt(s)` more often:

    chainlab run 03_typed_outputs.py messages:='["..."]' --model subject=openai:MODEL

Run it:    python 03_typed_outputs.py
"""

import json
import os
from pathlib import Path

from pydantic import BaseModel, Field, field_validator

from chainlab import chain, each, fill, prompt, step

MESSAGES = [
    "Hello, I ordered a coffee grinder on Monday. It arrived this morning, but the jar is cracked and the motor makes "
    "a loud noise. I would like a new one, or my money back. Best wishes, Anna",
    "Where is my parcel?",
]
MARK = "[shop] "


class Subject(BaseModel):
    """A subject line. The length is part of the type and shapes the reply; the mark is looked for afterwards."""

    subject: str = Field(min_length=3, max_length=60)

    @field_validator("subject")
    @classmethod
    def marked(cls, value: str) -> str:
        if not value.startswith(MARK):
            raise ValueError(f'it must begin with "{MARK}". Correct: {json.dumps({"subject": MARK + value})}')
        return value


@prompt(
    "Write a subject line for this message.\n\n{{ message }}",
    feedback="{% for error in errors %}{{ error }}\n{% endfor %}",
    model="small",
    temperature=0.7,  # at 0 a small model mostly says the same again
    seed=5,
    max_tokens=300,  # more than a whole reply can have
    retries=2,
)
def subject(message: str) -> Subject:
    return fill()


@step
def inbox(messages: list[str], subjects: list[Subject | None]) -> list[str]:
    """A subject for every message: the model's where it kept the rule, else the first words of the message."""
    return [
        found.subject if found else MARK + " ".join(message.split()[:8])
        for message, found in zip(messages, subjects, strict=True)
    ]


@chain
def sort_mail(messages: list[str]) -> list[str]:
    """Subject lines for messages."""
    return inbox(messages, each(messages, lambda message: subject(message), on_error="keep"))


if __name__ == "__main__":
    os.chdir(Path(__file__).parent)  # the aliases are in the chainlab.toml of this folder
    run = sort_mail.run_sync(messages=MESSAGES)
    for line in run.output:
        print(f"- {line}")
    print()
    for found in run.steps.values():
        if found.kind == "prompt":
            print(f"{found.path}: {found.status} after {found.attempts} attempt(s)")
            if found.error is not None:
                print(f"  {found.error.message}")
    print(f"\nsee every try and what was said back: chainlab show {run.id} 'subject[0]'")
