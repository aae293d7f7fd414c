"""Replays as the page sees them: checked, thought through, previewed. Knows no route; calls nothing but the sandbox.

No template that came over HTTP, or stands in a stored chain, is parsed in this process before the sandbox has looked at
it with the same types: what takes too long or too much, takes it from a child process.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

from chainlab.errors import ChainError, ChainlabError, ConfigError, ReplayError, SandboxError, StoreError
from chainlab.inspector.asked import Asked, AskedPreview
from chainlab.inspector.models import (
    DriftView,
    EditProblem,
    MessageView,
    PlannedStepView,
    PlanView,
    Preview,
    SegmentView,
)
from chainlab.inspector.refused import Refused
from chainlab.inspector.workbench import Workbench
from chainlab.spec.path import static_path
from chainlab.spec.template import Rendered, Segment, TemplateError, TemplateProblem
from chainlab.values.codec import encode, hash_parts

if TYPE_CHECKING:
    from chainlab.lab.lab import Lab
    from chainlab.lab.replaying import ReadyReplay
    from chainlab.spec.chain import PromptStep
    from chainlab.spec.edit import Edit

LONGEST_TEMPLATES = 200_000  # characters of all templates of a request
LOOK_S = 5.0  # for all templates of a request; each has the sandbox's own limit
_MOST_SEGMENTS = 2_000  # of a previewed message; the rest is shown as one piece
_LONGEST = 65_536  # characters of a piece of a previewed prompt


_GONE = frozenset({"run-not-found", "batch-not-found"})
_CONFLICTS = frozenset(
    {
        "drift",
        "effects",
        "no-code",
        "run-live",
        "no-fork",
        "fork-live",
        "fork-failed",
        "patch-changed",
        "patch-conflict",
    }
    | {"batch-is-running", "all-refused"}
)


class Wrong(Exception):
    """A request that cannot be carried out: its problems are shown beside the edits. `status` is HTTP's."""

    def __init__(self, *problems: EditProblem, status: int = 422) -> None:
        self.problems, self.status = problems, status
        super().__init__(problems[0].message)

    def refused(self) -> Refused:
        """The same as an answer, where something was to be done."""
        return Refused(self.status, self.problems[0].code, in_words(self.problems[0]))


@contextmanager
def problems(bench: Workbench) -> Iterator[None]:
    """Makes Wrong of errors in what was asked for. What the store or the sandbox says goes through."""
    try:
        yield
    except (ChainError, ReplayError, ConfigError) as error:
        raise Wrong(problem_of(bench, error), status=status_of(error)) from None


# -- thinking through --------------------------------------------------------------------------------------------------


async def preview(bench: Workbench, run_id: str, asked: AskedPreview) -> Preview:
    """An edit against the recorded inputs. Raises StoreError, SandboxError."""
    view = None
    try:
        ready = await think_through(bench, run_id, asked)
        view = plan_view(bench, ready)
        return Preview((), view, None if asked.step is None else await _rendered(bench, ready, asked.step))
    except Wrong as wrong:
        return Preview(wrong.problems, view, None)


async def think_through(bench: Workbench, run_id: str, asked: Asked) -> ReadyReplay:
    """A replay, thought through; its `refused` says whether it may begin. Raises Wrong, StoreError, SandboxError."""
    with problems(bench):
        lab = await bench.lab()
        check_edits(bench, lab, asked.edits)
        await look_at(bench, await asyncio.to_thread(_prompts, lab, run_id, asked.edits))
        return await asyncio.to_thread(
            lambda: lab.plan_replay(
                run_id, edits=asked.edits, scope=asked.scope, on_drift=asked.on_drift, on_effects=asked.on_effects
            )
        )


def _prompts(lab: Lab, run_id: str, edits: Sequence[Edit]) -> Iterable[tuple[str, PromptStep]]:
    from chainlab.lab.replaying import read_record, replayed_prompts

    return replayed_prompts(read_record(lab.reader, run_id), edits)


def check_edits(bench: Workbench, lab: Lab, edits: Sequence[Edit]) -> None:
    """Check what a page may not say, and an author may: only registered models, no endless text. Raises Wrong."""
    length = sum(len(edit.template or "") + len(edit.system or "") for edit in edits)
    if length > LONGEST_TEMPLATES:
        told = f"The templates of a request may have {LONGEST_TEMPLATES:,} characters together."
        raise Wrong(EditProblem("too-long", told, edits[0].step, None, None, f"{length:,}", "Shorten them."))
    known = lab.models.registered()
    for edit in edits:
        if edit.model is not None and known is not None and edit.model not in known:
            raise Wrong(
                EditProblem(
                    "unknown-model",
                    bench.told(f"There is no registered model {edit.model!r}."),
                    edit.step,
                    None,
                    ", ".join(sorted(known)),
                    bench.told(edit.model),
                    "Take one of them, or register it in chainlab.toml.",
                )
            )


async def look_at(bench: Workbench, prompts: Iterable[tuple[str, PromptStep]], *, whole: bool = False) -> None:
    """Let the sandbox look at templates, each once in the server's life. Raises Wrong with all problems, SandboxError.

    Unknown variables are left to the check of the whole chain, which knows what could be bound to them; with `whole`
    there is none.
    """
    found: list[EditProblem] = []
    asked: set[tuple[str, bytes]] = set()  # a batch asks for the same ones for each of its runs
    await bench.sandbox.check("", {})  # to start a child takes its time on a busy machine
    try:
        async with asyncio.timeout(LOOK_S):
            for path, step, template in _templates(prompts):
                mark = hash_parts(template.encode(errors="surrogatepass"), encode(dict(step.params)))
                if mark in bench.sound or (path, mark) in asked:
                    continue
                asked.add((path, mark))
                wrong = await bench.sandbox.check(template, step.params)
                if not wrong:
                    bench.remember(mark)
                found += [of_template(path, one) for one in wrong if whole or one.code != "template-variable"]
                if any(one.code == "template-limit" for one in wrong):
                    break  # one such template is enough of a siege
    except TimeoutError:
        told = "the templates take too long to look at"
        found.append(
            EditProblem("template-limit", told, None, None, f"at most {LOOK_S:g} s", None, "make them simpler")
        )
    if found:
        raise Wrong(*found)


def _templates(prompts: Iterable[tuple[str, PromptStep]]) -> Iterator[tuple[str, PromptStep, str]]:
    for path, step in prompts:
        for message in step.messages:
            yield path, step, message.template


def status_of(error: ChainlabError) -> int:
    """What an error that keeps something from being done is in HTTP."""
    if error.code in _GONE:
        return 404
    if error.code in _CONFLICTS:
        return 409
    return 503 if isinstance(error, (StoreError, SandboxError)) else 422


# -- what the page is shown --------------------------------------------------------------------------------------------


def plan_view(bench: Workbench, ready: ReadyReplay) -> PlanView:
    """A plan as the page shows it."""
    from chainlab.lab.estimate import estimate, forecast

    plan = ready.plan
    return PlanView(
        steps=tuple(
            PlannedStepView(
                step.path,
                static_path(step.path),
                step.kind,
                step.action,
                step.why,
                step.origin[0] if step.origin else None,
                step.origin[1] if step.origin else None,
                step.sure,
            )
            for step in plan.steps
        ),
        calls=plan.calls,
        calls_at_most=plan.calls_at_most,
        cost_nano=estimate([forecast(ready)]).cost_nano,
        calls_left=bench.budget.left,
        drift=tuple(DriftView(one.path, one.kinds, bench.told(one.note), one.blocks) for one in plan.drift),
        unverifiable=plan.unverifiable,
        notes=tuple(map(bench.told, plan.notes)),
        refused=None if ready.refused is None else problem_of(bench, ready.refused),
    )


def problem_of(bench: Workbench, error: ChainlabError) -> EditProblem:
    """An error as the page shows it."""

    def told(name: str) -> str | None:
        words = getattr(error, name, None)
        return None if words is None else bench.told(str(words))

    message, step = told("message") or bench.told(str(error)), told("step") or told("path")
    return EditProblem(error.code, message, step, None, told("expected"), told("got"), told("remedy") or "")


def in_words(problem: EditProblem) -> str:
    """A problem in one sentence."""
    return f"{problem.message}: {problem.remedy}" if problem.remedy else problem.message


def of_template(step: str, problem: TemplateProblem) -> EditProblem:
    """A template's problem as the page shows it."""
    return EditProblem(problem.code, problem.message, step, problem.line, problem.expected, problem.got, problem.remedy)


async def _rendered(bench: Workbench, ready: ReadyReplay, path: str) -> tuple[MessageView, ...] | None:
    """The prompt of a step as it would be sent; None: it does not run, or what it gets is not known yet."""
    from chainlab.spec.chain import PromptStep

    plan = ready.plan
    chosen = path if path in plan.known else next((one for one in plan.known if static_path(one) == path), None)
    if chosen is None:
        return None
    step = (plan.replaced.get(chosen) or plan.plan.by_path[static_path(chosen)]).spec
    assert isinstance(step, PromptStep)  # only prompts are known
    values = {name: value.json for name, value in plan.known[chosen].items()}
    messages = []
    try:
        async with asyncio.timeout(LOOK_S):
            for message in step.messages:
                messages.append(_message(message.role, await bench.sandbox.render(message.template, values)))
    except TemplateError as error:
        raise Wrong(of_template(chosen, error.problem)) from None
    except TimeoutError:
        told = "the prompt takes too long to render"
        raise Wrong(
            EditProblem("template-limit", told, chosen, None, f"at most {LOOK_S:g} s", None, "make it simpler")
        ) from None
    return tuple(messages)


def _message(role: str, text: Rendered) -> MessageView:
    shown = [_segment(segment) for segment in text.segments[:_MOST_SEGMENTS]]
    rest = "".join(segment.text for segment in text.segments[_MOST_SEGMENTS:])
    return MessageView(role, (*shown, _segment(Segment(rest))) if rest else tuple(shown))


def _segment(segment: Segment) -> SegmentView:
    size = len(segment.text.encode(errors="surrogatepass"))
    return SegmentView(segment.text[:_LONGEST], size, _variable(segment))


def _variable(segment: Segment) -> str | None:
    if segment.name is None:
        return None
    return segment.name + "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in segment.path)
