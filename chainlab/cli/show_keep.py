"""What keeping a fork takes, in the terminal: the diff, texts to copy, what else the code needs. Writes no file."""

from __future__ import annotations

import sys
from typing import Any

from chainlab.cli.output import clock, console, plural, print_json, safe
from chainlab.cli.show_run import heading
from chainlab.lab.keeping import KeepPlan, Unkept
from chainlab.source.patch import Patch

_STYLES = {"+": "green", "-": "red", "@": "cyan"}


def show_keep(plan: KeepPlan, *, json: bool, apply: bool) -> None:
    """Print a plan; `apply`: its patches have been written."""
    if json:
        print_json(_document(plan))
        return
    out = console()
    out.print(f"{safe(plan.chain)}  fork {plan.run_id}", style="bold")
    for patch in plan.patches:
        _diff(patch)
    for place in plan.in_place:
        out.print(f"{safe(place)} has the new text already", style="dim")
    if plan.problems:
        heading("to be copied by you", "yellow")
    for problem in plan.problems:
        _problem(problem)
    if plan.advice:
        heading("what else your code needs")
        for one in plan.advice:
            out.print(safe(f"  {one.where}  {one.what}" if one.where else f"  {one.what}"))
    for note in plan.notes:
        out.print(safe(note), style="dim")
    if plan.empty:
        out.print("nothing in the source changes for this fork")
    _end(plan, apply)


def _end(plan: KeepPlan, apply: bool) -> None:
    out = console()
    out.print()
    if plan.kept_at is not None:
        out.print(f"kept {clock(plan.kept_at)}", style="bold green")
    if plan.applied:
        out.print(safe(f"written: {', '.join(plan.applied)}"))
    elif plan.patches and not apply:
        where = plural(len(plan.patches), "file")
        out.print(f"apply it, to {where}: chainlab keep {plan.run_id} --apply", style="dim")


def _diff(patch: Patch) -> None:
    out = console()
    if not out.is_terminal:  # as it is, for `git apply` and `patch -p1`
        sys.stdout.write(f"\n{patch.diff}")
    else:
        out.print()
        for line in patch.diff.split("\n")[:-1]:
            style = "bold" if line.startswith(("---", "+++")) else _STYLES.get(line[:1], "")
            out.print(safe(line), style=style)
    for note in patch.notes:
        out.print(safe(f"{patch.file}: {note}"), style="dim")


def _problem(problem: Unkept) -> None:
    out = console()
    out.print(safe(f"{problem.path}, {problem.role}  {problem.where}".rstrip()), style="bold")
    out.print(safe(str(problem.error)), style="yellow")
    for line in problem.text.split("\n"):
        out.print(safe(f"  | {line}"))


def _document(plan: KeepPlan) -> dict[str, Any]:
    return {
        "run": plan.run_id,
        "chain": plan.chain,
        "kept_at_us": plan.kept_at,
        "applied": list(plan.applied),
        "patches": [{"file": patch.file, "diff": patch.diff, "notes": list(patch.notes)} for patch in plan.patches],
        "in_place": list(plan.in_place),
        "problems": [
            {
                "path": problem.path,
                "role": problem.role,
                "where": problem.where or None,
                "text": problem.text,
                "code": problem.error.code,
                "message": problem.error.message,
                "remedy": problem.error.remedy,
            }
            for problem in plan.problems
        ],
        "advice": [{"where": one.where or None, "what": one.what} for one in plan.advice],
        "notes": list(plan.notes),
        "refused": None
        if plan.refused is None
        else {"code": plan.refused.code, "message": plan.refused.message, "remedy": plan.refused.remedy},
    }
