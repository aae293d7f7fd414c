"""A store with runs worth looking at: real chains on scripted replies, and rows that hold what nobody hopes for."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Literal

from pydantic import BaseModel

from chainlab import (
    Lab,
    Request,
    ScriptedBackend,
    assistant,
    chain,
    each,
    fill,
    make,
    prompt,
    refine,
    route,
    step,
    system,
    user,
    when,
)
from chainlab.errors import ErrorInfo
from chainlab.events import RunFinished, RunStarted, StepFinished, StepStarted
from chainlab.store.store import Store
from chainlab.values.codec import Value
from chainlab.values.ids import new_id, now_us

TEXT = (
    "The coastal railway was opened in 1867 to bring slate from the hills to the harbour. Storms closed the line in "
    "1883, 1911 and 2014; after the last of them the sea wall was rebuilt higher, at a cost disputed for years."
    "\n\nToday four trains a day serve the villages. A survey of 1,204 passengers found that most use it to reach "
    "school or a hospital, and that tourists, who fill the trains in July, are few in winter.\n\n"
    "The council considers three plans: to close the line north of the estuary, to run it as a light railway, "
    "or to keep it and raise the fares."
)
TOPICS = ["the slate trade", "storms and the sea wall", "who uses the line", "the council's plans"]

XSS = '<img src=x onerror="window.__hit=1"><script>window.__hit=1</script>{{ 7*7 }}[x](javascript:window.__hit=1)'
HOSTILE = [
    XSS,
    "</pre></script><svg onload=window.__hit=1>",
    "javascript:window.__hit=1",
    "\u202egnp.exe \u0000 \u001b[31m \ud800",
    "__proto__",
]


class Topics(BaseModel):
    topics: list[str]


class Review(BaseModel):
    score: int
    issues: list[str]
    revised: str


@prompt("List the topics of this text.\n\n{{ text }}", model="small")
def extract(text: str) -> Topics:
    return fill()


@prompt(
    messages=[
        system("You write one sentence. You use no fact that the text does not state."),
        user("Summarise what the text says about {{ topic }}.\n\n{# the whole text, once per topic #}{{ text }}"),
    ],
    model="small",
)
def summarise(topic: str, text: str) -> str:
    return fill()


@prompt(
    "Write an article of three paragraphs from these notes.\n{% for note in notes %}\n- {{ note }}{% endfor %}",
    model="big",
    temperature=0.7,
    max_tokens=600,
)
def draft(notes: list[str]) -> str:
    return fill()


@prompt("Critique and revise:\n\n{{ article }}", model="editor", retries=2, timeout=30)
def critique(article: str) -> Review:
    return fill()


@step
def word_count(article: str) -> int:
    return len(article.split())


@chain(tags=["docs"])
def brief(text: str) -> int:
    found = extract(text)
    notes = each(found.topics, lambda topic: summarise(topic, text))
    review = critique(draft(notes))
    return word_count(review.revised)


class Ticket(BaseModel):
    kind: Literal["refund", "bug", "other"]
    urgent: bool
    subject: str


class Reply(BaseModel):
    paged: str | None
    text: str


class Verdict(BaseModel):
    accepted: bool
    reason: str


@prompt("Classify this message: {{ message }}")
def classify(message: str) -> Ticket:
    return fill()


@prompt("Explain the refund policy to the writer of: {{ subject }}")
def refund(subject: str) -> str:
    return fill()


@prompt("Ask for the steps that show this bug: {{ subject }}")
def bug(subject: str) -> str:
    return fill()


@prompt("Answer politely: {{ subject }}")
def general(subject: str) -> str:
    return fill()


@prompt("Alert the team on duty: {{ subject }}")
def alert(subject: str) -> str:
    return fill()


@prompt("Is this reply kind and complete?\n\n{{ reply }}")
def judge(reply: str) -> Verdict:
    return fill()


@prompt(
    messages=[
        user("Improve this reply: {{ reply }}"),
        assistant("What is wrong with it?"),
        user("{{ reason }}"),
    ]
)
def improve(reply: str, reason: str) -> str:
    return fill()


@chain
def polish(text: str) -> str:
    return refine(
        text,
        review=lambda reply: judge(reply),
        accept=lambda verdict: verdict.accepted,
        improve=lambda reply, verdict: improve(reply, verdict.reason),
        max_rounds=3,
    ).value


@chain
def triage(message: str) -> Reply:
    ticket = classify(message)
    paged = when(ticket.urgent, lambda: alert(ticket.subject))
    answer = route(
        ticket.kind,
        {
            "refund": lambda: refund(ticket.subject),
            "bug": lambda: bug(ticket.subject),
            "other": lambda: general(ticket.subject),
        },
    )
    return make(Reply, paged=paged, text=polish(answer))


@prompt("Translate into French: {{ line }}")
def translate(line: str) -> str:
    return fill()


@chain
def translate_lines(lines: list[str]) -> list[str]:
    return each(lines, lambda line: translate(line), on_error="drop")


@prompt("Repeat: {{ text }}")
def echo(text: str) -> str:
    return fill()


@chain
def repeat(text: str) -> str:
    return echo(text)


def write_story(path: Path, *, many: int = 60) -> dict[str, str]:
    """Fill a store; gives the ids of its runs by what they show."""
    ids: dict[str, str] = {}
    with Lab.open(path, default_model=ScriptedBackend(story_reply)) as lab:
        for number in range(many):
            lab.run_sync(repeat, f"line {number}")
        ids["hostile"] = lab.run_sync(repeat, "hostile").id
        ids["huge"] = lab.run_sync(repeat, "huge " + "x" * 200_000).id
        ids["fold"] = lab.run_sync(translate_lines, [f"line {number}" for number in range(40)]).id
        ids["triage"] = lab.run_sync(triage, "My order arrived broken. I want my money back, today.").id
        ids["ok"] = lab.run_sync(brief, TEXT).id
        ids["failed"] = lab.run_sync(brief, TEXT + "\n\nfail").id
    return ids


def write_hostile_rows(store: Store) -> str:
    """A run whose every text is hostile: chain, label, tags, paths, models, errors, keys and values."""
    journal, run_id, at = store.journal(), new_id(), now_us()
    value = Value({text: [text, {text: text}] for text in HOSTILE[:3]} | {"big": 2**70, "nan": float("nan")})
    spec = Value({"format": "from-the-future", "name": XSS})
    error = ErrorInfo(code="<b>code</b>", message=XSS)
    journal.emit(RunStarted(run_id, XSS, spec.hash, spec, value, (), at, tags=tuple(HOSTILE[:2]), label=XSS))
    for number, text in enumerate(HOSTILE[:3]):
        journal.emit(
            StepStarted(run_id, f"{text}[{number}]", text, "prompt", f"{number:04d}", (), None, at, model=text)
        )
        journal.emit(StepFinished(run_id, f"{text}[{number}]", "failed", at, 5, output=value, error=error))
    journal.emit(RunFinished(run_id, "failed", at, 900, output=value, error=error, error_path=HOSTILE[0] + "[0]"))
    _wait_for(store, run_id, 3)
    return run_id


def write_running(store: Store) -> str:
    """A run of `brief` that has begun and does not end."""
    journal, run_id, at = store.journal(), new_id(), now_us()
    spec = Value(json.loads(brief.spec.model_dump_json()))
    journal.emit(RunStarted(run_id, "brief", brief.spec.hash, spec, Value({"text": TEXT}), (), at))
    journal.emit(StepStarted(run_id, "extract", "extract", "prompt", "0000", (), None, at, model="small"))
    _wait_for(store, run_id, 1)
    return run_id


def _wait_for(store: Store, run_id: str, steps: int) -> None:
    # By looking, not by `durable`: a browser test's thread has a running loop already.
    while (trace := store.reader.trace(run_id)) is None or len(trace.steps) < steps:
        time.sleep(0.005)


def story_reply(request: Request) -> str | Exception:
    """What the models of the story answer."""
    asked = str(request.messages[-1]["content"])
    name = request.step.rpartition("/")[2].partition("[")[0].partition("@")[0]
    match name:
        case "extract":
            return json.dumps({"topics": TOPICS + (["fail"] if asked.endswith("fail") else [])})
        case "summarise":
            topic = asked.partition("about ")[2].partition(".")[0]
            return f"The text tells of {topic}, and names the year in which it began."
        case "draft":
            failing = "tells of fail" in asked
            return "\n\n".join(
                ["The line along the coast is older than the harbour it serves."] * (1 if failing else 3)
            )
        case "critique":
            failing = "\n\n" not in asked.partition("revise:\n\n")[2]
            return 'Sure! Here is the JSON:\n{"score": "high"}' if failing else _review()
        case "classify":
            return json.dumps({"kind": "refund", "urgent": False, "subject": "a broken order"})
        case "judge":
            return json.dumps({"accepted": "kindly" in asked, "reason": "It is not kind yet."})
        case "improve":
            return "We are kindly sending your money back."
        case "translate":
            number = int(asked.rpartition(" ")[2])
            return ValueError("the model refused") if number % 13 == 5 else f"ligne {number}"
        case _:
            return " | ".join(HOSTILE) if asked == "Repeat: hostile" else asked.removeprefix("Repeat: ")


def _review() -> str:
    return json.dumps(
        {"score": 4, "issues": ["The first paragraph repeats itself."], "revised": "The line is old. " * 9}
    )
