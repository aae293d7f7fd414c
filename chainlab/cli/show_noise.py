"""A noise control for a terminal and for programs: what it would take, and whether it was the edit."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from chainlab.cli.output import console, plural, safe
from chainlab.cli.show_backtest import estimate_json, say_estimate
from chainlab.lab.noise_control import NoiseControl, NoisePlan

if TYPE_CHECKING:
    from rich.console import Console

_SAID = {
    "edit": ("your edit", "the outputs differ by more than sampling does", "green"),
    "noise": ("within sampling noise", "sampling alone gives differences like these", "yellow"),
    "too-few": ("too few outputs to tell", "", "yellow"),
}


def say_noise_plan(plan: NoisePlan, concurrency: int, out: Console) -> None:
    """What a noise control would do."""
    out.print(
        f"judge   {', '.join(map(safe, plan.steps))} of run {plan.run_id}: {plan.k} without, {plan.k} with the edit"
    )
    say_estimate(plan.estimate, concurrency, out)
    for note in plan.notes:
        out.print(f"note    {safe(note)}", style="yellow")


def noise_plan_json(plan: NoisePlan) -> dict[str, Any]:
    """The same for programs."""
    return {
        "run": plan.run_id,
        "chain": plan.chain,
        "steps": list(plan.steps),
        "k": plan.k,
        "level": plan.level,
        **estimate_json(plan.estimate),
        "notes": list(plan.notes),
    }


def say_noise(found: NoiseControl) -> None:
    """The verdict, and the runs behind it."""
    out = console()
    out.print()
    verdict = found.verdict
    if verdict is None:
        out.print(f"{found.done} of {plural(found.total, 'run')} are done")
    else:
        head, why, style = _SAID[verdict.label]
        out.print(head, style=f"bold {style}", end="")
        out.print(f"  p = {verdict.p_value:.2g} at level {verdict.level:g}" + (f": {why}" if why else ""))
        out.print(f"note   {verdict.note}", style="dim")
    for note in found.notes:
        out.print(f"note   {safe(note)}", style="dim")
    out.print(f"batch  {found.id}", style="dim")
    if found.control and found.edited:
        out.print(f"diff   chainlab diff {found.control[0]} {found.edited[0]}")


def noise_json(found: NoiseControl) -> dict[str, Any]:
    """The same for programs."""
    return {
        "batch": found.id,
        "kind": "noise",
        "chain": found.chain,
        "run": found.run_id,
        "status": found.status,
        "done": found.done,
        "total": found.total,
        "steps": list(found.steps),
        "k": found.k,
        "verdict": None if found.verdict is None else asdict(found.verdict),
        "control": list(found.control),
        "edited": list(found.edited),
        "notes": list(found.notes),
        "cost": None,
    }
