"""Replays as the page sees them: plans, problems and previews. Knows no route; calls nothing but the sandbox."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import TYPE_CHECKING

from chainlab.errors import ChainError, ChainlabError, ConfigError, ReplayError, SandboxError, StoreError
from chainlab.inspector.models import (
    DriftView,
    EditProblem,
    MessageView,
    PlannedStepView,
    PlanView,
    SegmentView,
)
from chainlab.inspector.workbench import Refused, Workbench
from chainlab.spec.path import static_path

if TYPE_CHECKING:
    from chainlab.lab.replaying import ReadyReplay
    from chainlab.sandbox.sandbox import Sandbox
    from chainlab.spec.chain import ChainSpec
    from chainlab.spec.edit import Edit
    from chainlab.spec.template import TemplateProblem

WRONG = (ChainError, ReplayError, ConfigError, StoreError)
"""What a request may be wrong in: the page shows it beside the edit."""

LONGEST_TEMPLATE = 200_000  # characters
_LONGEST = 65_536  # characters of a piece of a previewed prompt


def plan_view(ready: ReadyReplay, calls_left: int) -> PlanView:
    """A plan as the page shows it."""
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
        cost_nano=None,
        calls_left=calls_left,
        drift=tuple(DriftView(one.path, one.kinds, one.note, one.blocks) for one in plan.drift),
        unverifiable=plan.unverifiable,
        notes=plan.notes,
        refused=None if ready.refused is None else problem_of(ready.refused),
    )


def problem_of(error: ChainlabError) -> EditProblem:
    """An error as the page shows it: never a path of this machine."""
    return EditProblem(
        code=error.code,
        message=getattr(error, "message", str(error)),
        step=getattr(error, "step", None) or getattr(error, "path", None),
        line=None,
        expected=getattr(error, "expected", None),
        got=getattr(error, "got", None),
        remedy=getattr(error, "remedy", ""),
    )


def refused(error: ChainlabError) -> Refused:
    """A replay that cannot be begun, as an answer: in conflict with what is there, or wrong in itself."""
    problem = problem_of(error)
    told = f"{problem.message}: {problem.remedy}" if problem.remedy else problem.message
    return Refused(409 if error.code in _CONFLICTS else 422, error.code, told)


_CONFLICTS = frozenset({"drift", "effects", "no-code", "run-live"})


async def check_edits(bench: Workbench, spec: ChainSpec, edits: Sequence[Edit]) -> list[EditProblem]:
    """What is wrong with edits of the page, before the lab is asked: only registered models, only sound templates.

    Templates are looked at by the sandbox, before this process so much as parses them. Raises Refused.
    """
    if not bench.allowed.replay:
        raise Refused(403, "read_only", "This inspector only shows traces.")
    for edit in edits:
        if max(len(edit.template or ""), len(edit.system or "")) > LONGEST_TEMPLATE:
            told = f"A template may have {LONGEST_TEMPLATE} characters."
            return [EditProblem("too-long", told, edit.step, None, None, None, "Shorten it.")]
    wanted = [edit for edit in edits if edit.model is not None]
    if wanted:
        lab = await asyncio.to_thread(bench.lab)
        known = {one.name for one in lab.models.describe()}
        for edit in wanted:
            if edit.model not in known and "(every model)" not in known:
                return [
                    EditProblem(
                        "unknown-model",
                        f"There is no registered model {edit.model!r}.",
                        edit.step,
                        None,
                        ", ".join(sorted(known)),
                        edit.model,
                        "Take one of them, or register it in chainlab.toml.",
                    )
                ]
    try:
        return await _template_problems(bench.sandbox, spec, edits)
    except SandboxError as error:
        raise Refused(503, error.code, error.message) from None


async def _template_problems(sandbox: Sandbox, spec: ChainSpec, edits: Sequence[Edit]) -> list[EditProblem]:
    from chainlab.spec.chain import PromptStep, walk

    steps = dict(walk(spec.steps))
    found: list[EditProblem] = []
    for edit in edits:
        step = steps.get(static_path(edit.step)) or next(
            (one for one in steps.values() if isinstance(one, PromptStep) and one.step == edit.step), None
        )
        params = step.params if isinstance(step, PromptStep) else {}
        variables = {**params, **{name: {} for name in edit.bind or {}}}
        for template in (edit.template, edit.system):
            if template is not None:
                found += [of_template(edit.step, one) for one in await sandbox.check(template, variables)]
    # An unknown variable is left to the check of the whole chain, which knows what could be bound to it.
    return [problem for problem in found if problem.code != "template-variable"]


def of_template(step: str, problem: TemplateProblem) -> EditProblem:
    """A template's problem as the page shows it."""
    return EditProblem(problem.code, problem.message, step, problem.line, problem.expected, problem.got, problem.remedy)


async def rendered(sandbox: Sandbox, ready: ReadyReplay, path: str) -> tuple[MessageView, ...] | None:
    """The prompt of a step as it would be sent; None: it does not run, or what it gets is not known yet.

    Raises TemplateError, SandboxError.
    """
    from chainlab.spec.chain import PromptStep

    plan = ready.plan
    chosen = path if path in plan.known else next((one for one in plan.known if static_path(one) == path), None)
    if chosen is None:
        return None
    step = (plan.replaced.get(chosen) or plan.plan.by_path[static_path(chosen)]).spec
    if not isinstance(step, PromptStep):
        return None
    values = {name: value.json for name, value in plan.known[chosen].items()}
    messages = []
    for message in step.messages:
        text = await sandbox.render(message.template, values)
        segments = [
            SegmentView(
                segment.text[:_LONGEST],
                len(segment.text.encode(errors="surrogatepass")),
                _shown(segment.name, segment.path),
            )
            for segment in text.segments
        ]
        messages.append(MessageView(message.role, tuple(segments)))
    return tuple(messages)


def _shown(name: str | None, path: tuple[str | int, ...]) -> str | None:
    if name is None:
        return None
    return name + "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in path)
