"""The edits that a command line describes: one by its options, or several as JSON. Knows the recorded chain's types."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from chainlab.cli.inputs import parse_inputs
from chainlab.errors import ReplayError
from chainlab.spec.chain import ChainSpec, CodeStep, PromptStep, load, walk
from chainlab.spec.edit import INPUT, Edit
from chainlab.spec.path import static_path
from chainlab.trace import TraceReader


def read_edits(
    reader: TraceReader,
    run_id: str,
    step: str | None,
    one: Mapping[str, Any],
    bind: Sequence[str],
    inputs: Sequence[str],
    output: str | None,
    many: str | None,
) -> list[Edit]:
    """The edits. Raises ReplayError `bad-edit`, ChainError `run-input`."""
    said = {name: value for name, value in one.items() if value is not None}
    some = bool(said or bind or inputs or output is not None)
    if step is None and some:
        raise _wrong("the edit has no step", "name it with --step STEP")
    if step is not None and not some:
        raise _wrong(f"nothing of {step!r} is edited", "add --template @FILE, --model REF, --input or --output")
    edits = [] if many is None else _many(many)
    if step is None:
        return edits
    for name in ("template", "system"):
        if name in said:
            said[name] = _text(name, said[name])
    if bind:
        said["bind"] = dict(_pair(text) for text in bind)
    if inputs:
        said["inputs"] = parse_inputs(inputs, _types(reader, run_id, step))
    if output is not None:
        said["output"] = _json("--output", _text("output", output))
    return [*edits, _edit({"step": step, **said})]


def _types(reader: TraceReader, run_id: str, step: str) -> dict[str, Any]:
    """The inputs of a step with their types, to read what is typed for them."""
    record = reader.record(run_id)
    spec: ChainSpec | None = None if record is None else load(record.spec)
    if spec is None:
        return {}
    if step == INPUT:
        return dict(spec.inputs)
    known = dict(walk(spec.steps))
    by_name = [one for one in known.values() if isinstance(one, (PromptStep, CodeStep)) and one.step == step]
    found = known.get(static_path(step)) or (by_name[0] if by_name else None)
    if not isinstance(found, (PromptStep, CodeStep)):
        raise _wrong(f"the chain has no step {step!r} with inputs", f"one of: {', '.join(known)}")
    return dict(found.params)


def _many(text: str) -> list[Edit]:
    data = _json("--edits", _text("edits", text))
    if not isinstance(data, list) or not all(isinstance(item, dict) for item in data):
        raise _wrong("--edits is no JSON list of objects", 'write [{"step": "critique", "template": "..."}]')
    return [_edit(item) for item in data]


def _edit(data: Mapping[str, Any]) -> Edit:
    try:
        return Edit.model_validate(data)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        place = ".".join(str(part) for part in first["loc"])
        raise _wrong(f"the edit's {place} is wrong: {first['msg']}", "see `chainlab replay --help`") from None


def _pair(text: str) -> tuple[str, str]:
    name, sign, value = text.partition("=")
    if not sign or not name.isidentifier():
        raise _wrong(f"--bind is {text!r}", "write NAME=VALUE: --bind topics=extract.topics")
    return name, value


def _text(name: str, value: str) -> str:
    if not value.startswith("@"):
        return value
    try:
        return Path(value[1:]).expanduser().read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        raise _wrong(f"--{name} cannot be read from {value[1:]!r}: {why}", "name another file") from None


def _json(option: str, text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError as error:
        raise _wrong(f"{option} is not JSON: {error}", "text goes in quotes: '\"...\"'") from None


def _wrong(message: str, remedy: str) -> ReplayError:
    return ReplayError(message, code="bad-edit", remedy=remedy)
