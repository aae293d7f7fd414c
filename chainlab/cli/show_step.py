"""A recorded step in the terminal: template, rendered prompt, inputs, raw reply, output, error, attempts."""

from __future__ import annotations

import textwrap
from pathlib import Path
from typing import Any

from chainlab.cli.output import console, mark, money, plural, print_json, safe, seconds, tokens
from chainlab.cli.show_run import error_json, heading, step_json, text_of, value_of, with_code
from chainlab.errors import StoreError
from chainlab.inspector.chains import Chains
from chainlab.spec.chain import ChainSpec, CodeStep, PromptStep, SourceRef, StepSpec, walk
from chainlab.spec.path import static_path
from chainlab.trace import AttemptRow, InputRow, RequestMessage, StepTrace, TraceReader
from chainlab.values.near import did_you_mean

_ALL = 1 << 40


def show_step(reader: TraceReader, run_id: str, path: str, database: Path, *, json: bool) -> None:
    """Print a step. Raises StoreError `step-not-found`."""
    step = reader.step(run_id, path, max_bytes=_ALL)
    if step is None:
        raise _not_found(reader, run_id, path, database)
    declared = _declared(Chains(reader).of_run(run_id), path)
    if json:
        print_json(_document(step, declared))
        return
    _head(step, declared)
    if isinstance(declared, PromptStep):
        _templates(declared)
    if step.inputs:
        heading("inputs")
    for row in step.inputs:
        _input(row)
    if step.attempts:
        _attempts(step.attempts)
    if step.output is not None:
        heading("output")
        console().print(text_of(step.output))
    error = step.summary.error
    if error is not None:
        heading("error", "red")
        console().print(with_code(error))
    if step.summary.cause_path is not None:
        heading("skipped")
        console().print(safe(f"because of {step.summary.cause_path}"))
    console().print()
    from chainlab.lab.link import trace_link

    console().print(f"in the browser: {trace_link(database, run_id, path)}", style="dim")


def _head(step: StepTrace, declared: StepSpec | None) -> None:
    row = step.summary
    out = console()
    out.print(mark(row.status), f"{safe(row.path)}  {row.status}", style="bold")
    times = [
        f"took {seconds(row.duration_us)}" if row.duration_us is not None else "",
        f"waited {seconds(row.queue_us)}" if row.queue_us else "",
        f"first token after {seconds(row.ttft_us)}" if row.ttft_us else "",
    ]
    facts = [row.kind, row.model or "", *times, tokens(row.tokens_in, row.tokens_out), money(row.cost_nano)]
    out.print("  " + "  ".join(safe(fact) for fact in facts if fact), style="dim")
    if isinstance(declared, CodeStep):
        out.print(f"  {safe(declared.module)}.{safe(declared.qualname)}{_at(declared.source)}", style="dim")


def _templates(declared: PromptStep) -> None:
    for message in declared.messages:
        heading(f"template, {message.role}{_at(message.source)}")
        console().print(safe(message.template))


def _input(row: InputRow) -> None:
    source = {"$input": "input of the chain", None: "constant"}.get(row.from_path, row.from_path)
    field = row.from_field if row.from_field and row.from_path != "$input" else ""
    field = f".{field}" if field and not field.startswith("[") else field
    whole = f"input {row.from_field}" if row.from_path == "$input" and row.from_field else f"{source}{field}"
    out = console()
    out.print(safe(f"{row.name}  from {whole}"), style="cyan")
    out.print(text_of(row.value))


def _attempts(attempts: tuple[AttemptRow, ...]) -> None:
    before: tuple[RequestMessage, ...] = ()
    many = len(attempts) > 1
    for attempt in attempts:
        added = attempt.messages[len(before) :] if attempt.messages[: len(before)] == before else attempt.messages
        if added:
            heading(f"prompt of attempt {attempt.n}" + (", what was added" if before else "") if many else "prompt")
        for message in added:
            _message(message)
        before = attempt.messages
        if attempt.reply_text is not None:
            heading(f"reply {attempt.n}" if many else "reply")
            console().print(safe(attempt.reply_text))
    heading(plural(len(attempts), "attempt"))
    for attempt in attempts:
        _attempt(attempt)


def _message(message: RequestMessage) -> None:
    from rich.text import Text

    out = console()
    text = Text(f"{message.role}: ", "dim")
    for segment in message.segments:
        text.append(safe(segment.text), "yellow" if segment.variable is not None else "")
    out.print(text)


def _attempt(attempt: AttemptRow) -> None:
    facts = [
        f"{attempt.n}",
        attempt.status,
        f"({attempt.reason})",
        seconds(attempt.duration_us),
        tokens(attempt.tokens_in, attempt.tokens_out),
        f"HTTP {attempt.http_status}" if attempt.http_status else "",
        f"{attempt.tokens_cached} cached" if attempt.tokens_cached else "",
        money(attempt.cost_nano),
        f"finish {attempt.finish_reason}" if attempt.finish_reason else "",
        "cut at the token limit" if attempt.finish_reason == "length" else "",
        _model(attempt),
        " ".join(f"{name}={value:g}" for name, value in (attempt.gauges or {}).items()),
    ]
    out = console()
    out.print("  " + "  ".join(safe(fact) for fact in facts if fact))
    if attempt.error is not None:
        out.print(textwrap.indent(with_code(attempt.error), "    "), style="red")


def _model(attempt: AttemptRow) -> str:
    """Who answered: what was asked for, and what the server calls it where that is something else."""
    named = f"{attempt.base}+{attempt.adapter}" if attempt.base and attempt.adapter else attempt.model or ""
    named = f"{attempt.backend}:{named}" if attempt.backend and named else named
    content = f" (adapter {attempt.adapter_hash[:12]})" if attempt.adapter_hash else ""
    other = attempt.served_model not in (None, attempt.model, attempt.adapter)
    return f"{named}{content}" + (f" served as {attempt.served_model}" if other else "")


def _at(source: SourceRef | None) -> str:
    return "" if source is None else f"  {source.file}:{source.line}"


def _declared(spec: ChainSpec | str | None, path: str) -> StepSpec | None:
    if not isinstance(spec, ChainSpec):
        return None
    wanted = static_path(path)
    return next((step for place, step in walk(spec.steps) if place == wanted), None)


def _not_found(reader: TraceReader, run_id: str, path: str, database: Path) -> StoreError:
    trace = reader.trace(run_id, max_bytes=0)
    known = [step.path for step in trace.steps] if trace is not None else []
    items = [place for place in known if static_path(place) == path]
    near = f"it ran {len(items)} times: {', '.join(items[:3])}" if items else did_you_mean(path, known)
    listed = ", ".join(known[:20]) + (", ..." if len(known) > 20 else "")
    return StoreError(
        f"run {run_id} has no step {path!r}",
        code="step-not-found",
        file=str(database),
        remedy=near or (f"its steps are {listed}" if known else "it has no step"),
    )


def _document(step: StepTrace, declared: StepSpec | None) -> dict[str, Any]:
    messages = declared.messages if isinstance(declared, PromptStep) else ()
    return {
        **step_json(step.summary),
        "queue_us": step.summary.queue_us,
        "ttft_us": step.summary.ttft_us,
        "template": [
            {
                "role": message.role,
                "text": message.template,
                "file": message.source.file if message.source else message.file,
                "line": message.source.line if message.source else None,
            }
            for message in messages
        ],
        "inputs": [
            {"name": row.name, "value": value_of(row.value), "from_path": row.from_path, "from_field": row.from_field}
            for row in step.inputs
        ],
        "output": value_of(step.output),
        "tries": [_try(attempt) for attempt in step.attempts],
    }


def _try(attempt: AttemptRow) -> dict[str, Any]:
    return {
        "n": attempt.n,
        "reason": attempt.reason,
        "status": attempt.status,
        "messages": [
            {"role": message.role, "content": "".join(part.text for part in message.segments)}
            for message in attempt.messages
        ],
        "parameters": attempt.parameters,
        "reply": attempt.reply_text,
        "finish_reason": attempt.finish_reason,
        "http_status": attempt.http_status,
        "duration_us": attempt.duration_us,
        "tokens_in": attempt.tokens_in,
        "tokens_out": attempt.tokens_out,
        "tokens_cached": attempt.tokens_cached,
        "cost_nano": attempt.cost_nano,
        "backend": attempt.backend,
        "model": attempt.model,
        "base": attempt.base,
        "adapter": attempt.adapter,
        "adapter_hash": attempt.adapter_hash,
        "served_model": attempt.served_model,
        "gauges": attempt.gauges,
        "error": error_json(attempt.error),
    }
