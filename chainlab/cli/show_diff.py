"""A comparison of two runs in the terminal: both runs, their steps with a mark each, one step in full."""

from __future__ import annotations

from dataclasses import fields, is_dataclass
from typing import TYPE_CHECKING, Any

from chainlab.cli.draw_diff import show_messages, show_text, show_value
from chainlab.cli.output import clock, console, mark, plural, print_json, safe, seconds, tokens
from chainlab.cli.runs import as_json
from chainlab.cli.show_run import heading, step_json, with_code
from chainlab.compare.comparison import Comparison, StepComparison, Verdict
from chainlab.compare.difference import StepDiff
from chainlab.trace import RunSummary, StepSummary

if TYPE_CHECKING:
    from rich.text import Text

_SHORT = 40  # steps that are listed one by one; of longer lists only what differs is

_MARKS: dict[Verdict, tuple[str, str]] = {
    "same": ("=", "dim"),
    "reused": ("↺", "magenta"),
    "changed": ("~", "yellow"),
    "only-a": ("-", "red"),
    "only-b": ("+", "green"),
}
_RELATIONS = {
    "fork": "b is a fork of a",
    "parent": "a is a fork of b",
    "relative": "both come from one run",
    "itself": "a run and itself",
}


def show_diff(found: Comparison, *, json: bool, every: bool) -> None:
    """Print a comparison."""
    if json:
        print_json(_document(found))
        return
    out = console()
    chains = dict.fromkeys((found.a.chain, found.b.chain))
    relation = _RELATIONS.get(found.relation or "", "")
    out.print(safe("  ".join(part for part in (" and ".join(chains), relation) if part)), style="bold")
    _runs(found)
    for given in found.input_diffs:
        heading(f"input {given.name}")
        show_value(given.value)
    heading("steps")
    _steps(found, every)
    if found.opened is not None:
        _opened(found, found.opened)
    if found.output is not None and not _is_the_opened(found):
        heading("output of the run")
        show_value(found.output)
    out.print()
    if found.equal:
        out.print("the runs are equal", style="bold green")
    else:
        out.print(f"another step in full: chainlab diff {found.a.id} {found.b.id} STEP", style="dim")


def _runs(found: Comparison) -> None:
    from rich.table import Table
    from rich.text import Text

    table = Table.grid(padding=(0, 2))
    for name, run in (("a", found.a), ("b", found.b)):
        table.add_row(
            f"  {name}",
            run.id,
            mark(run.status) + Text(f" {run.status}"),
            clock(run.started_at),
            seconds(run.duration_us),
            plural(run.steps_total, "step"),
            tokens(run.tokens_in, run.tokens_out),
            _cost(run),
        )
    _print_table(table)


def _steps(found: Comparison, every: bool) -> None:
    from rich.table import Table
    from rich.text import Text

    table = Table.grid(padding=(0, 2))
    whole = every or len(found.steps) <= _SHORT
    opened = found.opened and (found.opened.path_b or found.opened.path_a)
    for step in found.steps:
        if not whole and not step.diverges and step.path != opened:
            continue
        sign, style = _MARKS[step.verdict]
        moved = Text(f"  from {safe(step.moved_from)}", "dim") if step.moved_from is not None else Text()
        table.add_row(
            Text(sign, style),
            Text("  " * (step.row.sort.count(".") // 2) + safe(step.path)) + moved,
            _verdict(step, style),
            _both(step, _took),
            _both(step, lambda row: tokens(row.tokens_in, row.tokens_out)),
            _both(step, _cost),
        )
    _print_table(table)
    counts = "  ".join(f"{count} {verdict}" for verdict in _MARKS if (count := found.counts.get(verdict, 0)))
    hidden = "" if whole else "  (the same ones are not listed; --all lists them)"
    console().print(f"{counts}{hidden}", style="dim")


def _verdict(step: StepComparison, style: str) -> Text:
    from rich.text import Text

    words: list[str] = [word for word in step.differs if word != "status"]
    if step.a is not None and step.b is not None and "status" in step.differs:
        words.insert(0, f"{step.a.status} → {step.b.status}")
    if step.verdict == "reused":
        return Text("reused" + (f", though of another {' and '.join(words)}" if words else ""), style)
    return Text(step.verdict.replace("-", " in ") if step.verdict.startswith("only") else ", ".join(words), style)


def _both(step: StepComparison, tell: Any) -> Text:
    from rich.text import Text

    before, after = (tell(row) if row is not None else "" for row in (step.a, step.b))
    if not before or not after or before == after:
        return Text(before or after, "dim")
    return Text(f"{before} → {after}", "dim")


def _took(row: StepSummary) -> str:
    return "" if row.status in ("reused", "cached", "skipped") else seconds(row.duration_us)


def _cost(row: RunSummary | StepSummary) -> str:
    return "" if row.cost_nano is None else f"cost {row.cost_nano / 1e9:.6f}"


def _print_table(table: Any) -> None:
    out = console()
    if not out.is_terminal:
        out.width = 200
    out.print(table, soft_wrap=False)


def _is_the_opened(found: Comparison) -> bool:
    """Whether the run's output differs just as that of the opened step: it need not be told twice."""
    return found.opened is not None and found.opened.output == found.output


def _opened(found: Comparison, diff: StepDiff) -> None:
    path = diff.path_b or diff.path_a or ""
    first = "first difference: " if path == found.first_divergence else ""
    moved = f"  (in a: {diff.path_a})" if diff.path_a and diff.path_a != path else ""
    heading(f"{first}{path}{moved}")
    out = console()
    step = found.step(path)
    if step is not None and step.verdict == "reused":
        taken = step.b if step.b is not None and step.b.origin_run_id is not None else step.a
        origin = "" if taken is None else f" from {taken.origin_run_id} {taken.origin_path}"
        out.print(safe(f"reused{origin}: the same output"), style="magenta")
    elif step is not None and not step.diverges:
        out.print("nothing differs", style="dim")
    for setting in diff.settings:
        out.print(safe(f"{setting.name}: {setting.before or 'not set'} → {setting.after or 'not set'}"), style="yellow")
    show_messages("template", diff.templates)
    for given in diff.inputs:
        sources = dict.fromkeys(source for source in (given.from_a, given.from_b) if source is not None)
        told = {"$input": "the input of the chain"}
        heading(f"input {given.name}  from {' and '.join(told.get(s, s) for s in sources) or 'a constant'}")
        show_value(given.value)
    show_messages("prompt", diff.prompt)
    if diff.output is not None:
        heading("output")
        show_value(diff.output)
    if diff.reply is not None:
        heading("reply")
        show_text(diff.reply)
    if diff.error is not None:
        heading("error")
        for sign, style, error in (("-", "red", diff.error.before), ("+", "green", diff.error.after)):
            if error is not None:
                out.print(f"{sign} {with_code(error)}", style=style)


def _document(found: Comparison) -> dict[str, Any]:
    return {
        "a": as_json(found.a),
        "b": as_json(found.b),
        "relation": found.relation,
        "equal": found.equal,
        "first_divergence": found.first_divergence,
        "inputs": [_plain(given) for given in found.input_diffs],
        "output": None if found.output is None else _plain(found.output),
        "steps": [_step_document(step) for step in found.steps],
        "opened": None if found.opened is None else _plain(found.opened),
    }


def _step_document(step: StepComparison) -> dict[str, Any]:
    return {
        "path": step.path,
        "verdict": step.verdict,
        "differs": list(step.differs),
        "moved_from": step.moved_from,
        "a": None if step.a is None else step_json(step.a),
        "b": None if step.b is None else step_json(step.b),
    }


def _plain(value: Any) -> Any:
    """Data for programs. JSON values stay as they are, however deep."""
    if isinstance(value, tuple):
        return [_plain(item) for item in value]
    if is_dataclass(value):
        return {field.name: _plain(getattr(value, field.name)) for field in fields(value)}
    return value
