"""Why a recorded step is not the same work any more, in the words of `DriftKind`. Compares; decides nothing."""

from __future__ import annotations

from chainlab.plan import RENDERERS_BEFORE, PlanStep, definition_hash, redefined, reuse_key
from chainlab.replay.planned import DriftKind, ModelAtHand
from chainlab.spec.chain import CodeStep, PromptStep, StepSpec
from chainlab.trace import StepRecord


def drift_kinds(
    before: StepSpec | None,
    now: PlanStep,
    row: StepRecord | None,
    model: ModelAtHand | None,
    *,
    let_pass: bool = False,
) -> tuple[DriftKind, ...]:
    """What differs between a step as it was recorded and as it stands now.

    `let_pass`: the record is a fork that reused in spite of drift.
    """
    if row is None or before is None:
        return ("missing",)
    old, new = before, now.spec
    if isinstance(old, PromptStep) and isinstance(new, PromptStep):
        return _of_prompt(old, now, new, row, model, let_pass and row.status == "reused")
    if isinstance(old, CodeStep) and isinstance(new, CodeStep):
        kinds: list[DriftKind] = ["code"] if old.code_hash != new.code_hash else []
        if (old.params, old.output) != (new.params, new.output):
            kinds.append("schema")
        return tuple(kinds) or ("definition",)  # wired otherwise
    return ("definition",)


def _of_prompt(
    old: PromptStep, now: PlanStep, new: PromptStep, row: StepRecord, model: ModelAtHand | None, let_pass: bool
) -> tuple[DriftKind, ...]:
    kinds: list[DriftKind] = []
    if (old.sampling, old.feedback, _texts(old)) != (new.sampling, new.feedback, _texts(new)):
        kinds.append("definition")
    if (old.params, old.output) != (new.params, new.output):
        kinds.append("schema")
    if model is not None and (model.adapter or "") != (row.adapter or ""):
        kinds.append("adapter")
    elif model is not None and (model.backend, model.model) != (row.backend, row.model):
        kinds.append("model")
    if kinds:
        return tuple(kinds)
    if old.args != new.args:
        return ("definition",)  # wired otherwise
    identity = b"" if model is None else model.identity
    for renderer in RENDERERS_BEFORE:
        then = redefined(now, definition_hash(new, renderer))
        if reuse_key(then, row.inputs.items(), identity) == row.reuse_key:
            return ("renderer",)
    if let_pass:  # the output was made under another definition than the fork's own
        return ("definition",)
    # All that is written is the same: what stands behind the name is not.
    return ("adapter",) if row.adapter else ("model",)


def describe_drift(path: str, kinds: tuple[DriftKind, ...], row: StepRecord | None, model: ModelAtHand | None) -> str:
    """One line for a person."""
    if kinds == ("missing",):
        return f"{path}: there is no record of this step"
    was = f" (was {row.model}" + (f"+{row.adapter}" if row.adapter else "") + ")" if row and row.model else ""
    if model is not None and ("model" in kinds or "adapter" in kinds):
        if row is not None and (model.model, model.backend, model.adapter) == (row.model, row.backend, row.adapter):
            return f"{path}: {' and '.join(kinds)} changed: not what stood behind {model.model!r} then"
        now = f"{model.model} on {model.backend}" + (f" with {model.adapter}" if model.adapter else "")
        return f"{path}: {' and '.join(kinds)} changed: now {now}{was}"
    return f"{path}: {' and '.join(kinds)} changed since it was recorded"


def _texts(step: PromptStep) -> list[tuple[str, str]]:
    return [(message.role, message.template) for message in step.messages]
