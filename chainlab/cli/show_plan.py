"""A replay as it was thought through, for a terminal and for programs: what runs, what is reused, what has drifted."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from chainlab.cli.output import about_money, plural, safe, units
from chainlab.lab.estimate import estimate, forecast
from chainlab.lab.replaying import ReadyReplay
from chainlab.replay.planned import PlannedStep
from chainlab.spec.path import static_path

if TYPE_CHECKING:
    from rich.console import Console

_SHOWN = 12
_WHY = {
    "edited": "edited",
    "failed": "failed before",
    "unfinished": "did not end before",
    "downstream": "follows",
    "changed": "its inputs changed",
    "new": "not recorded",
    "drift": "drifted",
    "all": "scope all",
    "depends": "if its inputs change",
    "scope": "outside the scope",
    "effects": "has effects",
    "by-hand": "set by hand",
}


def say_plan(ready: ReadyReplay, out: Console) -> None:
    """What will run, step by step; the rest in counts."""
    plan = ready.plan
    groups: dict[tuple[str, str, str], list[PlannedStep]] = {}
    for step in plan.steps:
        if step.action != "reuse":
            groups.setdefault((step.action, static_path(step.path), step.why), []).append(step)
    for (action, static, why), some in list(groups.items())[:_SHOWN]:
        name = some[0].path if len(some) == 1 else f"{static} ×{len(some)}"
        about = "" if all(step.sure for step in some) else "  perhaps"
        out.print(f"{_ACTION[action]:<7} {safe(name)}  ({_WHY.get(why, why)}){about}", style=_STYLE[action])
    if len(groups) > _SHOWN:
        out.print(f"        and {plural(len(groups) - _SHOWN, 'more step')}")
    reused = Counter(step.why for step in plan.steps if step.action == "reuse")
    moved = f", {reused['moved']} of them from another place" if reused["moved"] else ""
    out.print(f"reuse   {plural(reused.total(), 'step')}{moved}", style="dim")
    most = f" to {plan.calls_at_most}" if plan.calls_at_most != plan.calls else ""
    out.print(f"calls   {plan.calls}{most}, {about_money(_cost(ready))}", style="dim")
    for drift in plan.drift:
        out.print(f"drift   {safe(drift.note)}", style="yellow")
    for path in plan.unverifiable[:3]:
        out.print(f"note    {safe(path)}: a hosted model may have changed behind its name", style="dim")
    for note in plan.notes:
        out.print(f"note    {safe(note)}", style="yellow")


_ACTION = {"execute": "run", "decide": "perhaps", "leave": "leave", "given": "given"}
_STYLE = {"execute": "bold", "decide": "", "leave": "dim", "given": "magenta"}


def _cost(ready: ReadyReplay) -> int | None:
    return estimate([forecast(ready)]).cost_nano


def plan_json(ready: ReadyReplay) -> dict[str, Any]:
    """The same for programs."""
    plan, refused = ready.plan, ready.refused
    return {
        "run": plan.run_id,
        "calls": plan.calls,
        "calls_at_most": plan.calls_at_most,
        "cost": units(_cost(ready)),
        "steps": [
            {
                "path": step.path,
                "kind": step.kind,
                "action": step.action,
                "why": step.why,
                "sure": step.sure,
                "origin": None if step.origin is None else {"run": step.origin[0], "path": step.origin[1]},
            }
            for step in plan.steps
        ],
        "drift": [
            {"path": one.path, "kinds": list(one.kinds), "note": one.note, "blocks": one.blocks} for one in plan.drift
        ],
        "unverifiable": list(plan.unverifiable),
        "notes": list(plan.notes),
        "refused": None
        if refused is None
        else {"code": refused.code, "message": refused.message, "path": refused.path, "remedy": refused.remedy},
    }
