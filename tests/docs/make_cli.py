"""docs/cli.md from the command line itself: `python -m tests.docs.make_cli` writes it, a test compares."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import typer

from chainlab.cli.main import app

TARGET = Path(__file__).resolve().parents[2] / "docs" / "cli.md"

HEAD = """# The command line

Made from the program by `python -m tests.docs.make_cli`; do not edit.

Exit codes of every command: 0 ok; 1 the run failed (`diff`: the runs differ; `keep`: something cannot be patched;
`backtest`: a run is broken or still failing; `rm`, `backtest`, `noise`: the answer was no; `doctor`: a problem);
2 wrong use, a wrong chain, configuration or database; 130 interrupted; 141 nobody reads the output any more (a closed
pipe), 74 it cannot be written. Errors go to stderr, results to stdout. Where
stdout is no terminal, or `NO_COLOR` or `CI` is set, the output is plain. `RUN` is a run's id, the beginning of one,
`last`, or `last-failed`; `STEP` is a step's path such as `draft`, `summarise[3]` or `rewrite@2` (see
[concepts](concepts.md#paths)).

Inputs of `chainlab run`:

| written | gives |
|---|---|
| `name=value` | the text `value`; where the input's type holds no text, the value is read as JSON |
| `name=@file.txt` | the text of the file; `name=@-` reads stdin |
| `name:=json` | the JSON value: `limit:=3`, `tags:='["a", "b"]'`; `name:=@file.json` reads it from a file |
"""


def page() -> str:
    """The whole page."""
    return HEAD + "".join(f"\n{section}" for section in _sections(typer.main.get_command(app), "chainlab"))


def _sections(command: Any, path: str) -> Iterator[str]:
    inner = getattr(command, "commands", {})
    if path != "chainlab":
        yield _section(command, path)
    for name, below in inner.items():
        yield from _sections(below, f"{path} {name}")


def _section(command: Any, path: str) -> str:
    shown = [param for param in command.params if not getattr(param, "hidden", False)]
    usage = " ".join([path, *(_usage(p) for p in shown if p.param_type_name == "argument"), "[OPTIONS]"])
    lines = [f"## {path}", "", "```text", usage, "```", "", inspect.cleandoc(command.help or ""), ""]
    rows = [f"| `{_cell(_names(param))}` | {_help(param)} |" for param in shown if param.name != "help"]
    if rows:
        lines += ["| | |", "|---|---|", *rows, ""]
    return "\n".join(lines)


def _usage(param: Any) -> str:
    return str(param.metavar or param.name.upper())


def _names(param: Any) -> str:
    if param.param_type_name == "argument":
        return _usage(param)
    names = ", ".join([*param.opts, *param.secondary_opts])
    return names if param.is_flag else f"{names} {param.metavar or param.name.upper()}"


def _help(param: Any) -> str:
    words = _cell(getattr(param, "help", "") or "")
    told = param.param_type_name == "option" and type(param.default) in (int, float, str)
    return f"{words} Default: {param.default}." if told else words


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


if __name__ == "__main__":
    TARGET.write_text(page(), encoding="utf-8")
    sys.stdout.write(f"wrote {TARGET}\n")
