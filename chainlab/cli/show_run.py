"""A recorded run in the terminal: what went in, its steps, what came out. Reads traces; runs nothing."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from chainlab.cli.output import clock, console, mark, money, plural, pretty, print_json, safe, seconds, tokens
from chainlab.cli.runs import as_json
from chainlab.errors import StoreError
from chainlab.trace import Datum, Failure, StepSummary, Trace, TraceReader
from chainlab.values.codec import Json, decode

_ALL = 1 << 40
_SHOWN = 400  # characters of an input in the view of a run; a step's view and --json have all of it


def show_run(reader: TraceReader, run_id: str, database: Path, *, json: bool) -> None:
    """Print a run."""
    trace = reader.trace(run_id, max_bytes=_ALL)
    if trace is None:  # it was found a moment ago
        raise StoreError(
            f"run {run_id} has just been deleted",
            code="run-not-found",
            file=str(database),
            remedy="list the runs with `chainlab runs`",
        )
    if json:
        print_json(_document(trace))
        return
    run = trace.run
    out = console()
    out.print(mark(run.status), f"{safe(run.chain)}  {run.status}", style="bold")
    facts = [run.id, clock(run.started_at), seconds(run.duration_us), plural(run.steps_total, "step")]
    facts += [tokens(run.tokens_in, run.tokens_out), money(run.cost_nano)]
    out.print("  " + "  ".join(fact for fact in facts if fact), style="dim")
    if run.parent_run_id is not None:
        gone = "" if reader.find(run.parent_run_id) else " (deleted)"
        out.print(f"  fork of {run.parent_run_id}{gone}", style="dim")
    if run.kept_at is not None:
        out.print(f"  kept {clock(run.kept_at)}", style="green")
    for row in trace.inputs:
        heading(f"input {row.name}")
        out.print(shortened(text_of(row.value), _SHOWN))
    heading("steps")
    _steps(trace.steps)
    if trace.output is not None:
        heading("output")
        out.print(text_of(trace.output))
    if run.error is not None:
        heading(f"error at {run.error.path}" if run.error.path else "error", "red")
        out.print(with_code(run.error))
    out.print()
    out.print(f"a step in full: chainlab show {run.id} STEP", style="dim")
    from chainlab.lab.link import trace_link

    out.print(f"in the browser: {trace_link(database, run.id)}", style="dim")


def heading(text: str, style: str = "") -> None:
    """A line that begins a part."""
    out = console()
    out.print()
    out.print(safe(text), style=f"bold {style}".strip())


def text_of(value: Datum) -> str:
    """A stored value for people."""
    return pretty(value_of(value))


def value_of(value: Datum | None) -> Json:
    """A stored value as JSON."""
    return None if value is None or value.text is None else decode(value.text)


def shortened(text: str, limit: int) -> str:
    """The beginning of a long text, and how much there is."""
    return text if len(text) <= limit else f"{text[:limit]}… ({len(text)} characters)"


def with_code(error: Failure) -> str:
    """A recorded error for people: its code stands in the first line."""
    head, line, rest = safe(error.message).partition("\n")
    return f"{head} [{error.code}]{line}{rest}"


def error_json(error: Failure | None) -> dict[str, Any] | None:
    """A recorded error for programs."""
    return None if error is None else {"code": error.code, "message": error.message, "path": error.path}


def step_json(step: StepSummary) -> dict[str, Any]:
    """A step's row for programs."""
    return {
        "path": step.path,
        "kind": step.kind,
        "status": step.status,
        "model": step.model,
        "attempts": step.attempts,
        "duration_us": step.duration_us,
        "tokens_in": step.tokens_in,
        "tokens_out": step.tokens_out,
        "cost_nano": step.cost_nano,
        "cause_path": step.cause_path,
        "error": error_json(step.error),
    }


def _steps(steps: tuple[StepSummary, ...]) -> None:
    from rich.table import Table
    from rich.text import Text

    table = Table.grid(padding=(0, 2))
    for step in steps:
        note = f"{step.attempts} attempts" if step.attempts > 1 else ""
        if step.status == "skipped":
            note = f"because of {step.cause_path}"
        elif step.error is not None:
            note = shortened(step.error.message.partition("\n")[0], 80)
        indent = "  " * (step.sort.count(".") // 2)
        table.add_row(
            mark(step.status),
            Text(indent + safe(step.path)),
            Text(safe(step.model or step.kind), "dim"),
            seconds(step.duration_us),
            tokens(step.tokens_in, step.tokens_out),
            money(step.cost_nano),
            Text(safe(note), "red" if step.status == "failed" else "dim"),
        )
    out = console()
    if not out.is_terminal:
        out.width = 200
    out.print(table, soft_wrap=False)


def _document(trace: Trace) -> dict[str, Any]:
    return {
        **as_json(trace.run),
        "inputs": {row.name: value_of(row.value) for row in trace.inputs},
        "output": value_of(trace.output),
        "steps": [step_json(step) for step in trace.steps],
    }
