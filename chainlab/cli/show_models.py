"""Draws what `chainlab models` found: the names, and what each server serves."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Console
from rich.table import Table
from rich.text import Text

from chainlab.backends.health import Health
from chainlab.backends.registry import ModelInfo
from chainlab.cli.output import mark, safe

_MOST = 12  # models of one server


def show_names(out: Console, found: Sequence[ModelInfo]) -> None:
    """What can be written."""
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="dim")
    for name in ("model", "leads to", "backend", "ready", "where"):
        table.add_column(name, no_wrap=True, overflow="ellipsis")
    for model in found:
        ready = Text("yes", "green") if model.ready else Text(f"no: {safe(model.note)}", "yellow")
        leads = "" if model.target == model.name else safe(model.target)
        table.add_row(safe(model.name), leads, model.kind, ready, Text(safe(model.where), "dim"))
    out.print(table, soft_wrap=False)


def show_servers(out: Console, servers: Sequence[Health]) -> None:
    """What each server serves: models with their context, adapters below their base."""
    for server in servers:
        head = mark("problem" if server.why_not else "ok") + Text(f" {server.backend}")
        out.print(head + Text(f"  {server.kind}  {safe(server.where)}", "dim"))
        if server.why_not:
            out.print(Text(f"    {safe(server.why_not)}", "red"))
            if server.remedy:
                out.print(Text(f"    fix: {safe(server.remedy)}", "dim"))
            continue
        bases = [model for model in server.models if model.parent is None]
        for base in bases[:_MOST]:
            room = "" if base.context is None else f"  {base.context:,} tokens of context"
            out.print(Text(f"    {safe(base.name)}") + Text(room, "dim"))
            for adapter in server.models:
                if adapter.parent == base.name:
                    out.print(Text(f"      + {safe(adapter.name)}") + Text("  adapter", "dim"))
        for lost in server.models:
            if lost.parent is not None and lost.parent not in {base.name for base in bases}:
                out.print(Text(f"    + {safe(lost.name)}") + Text(f"  adapter on {safe(lost.parent)}", "dim"))
        if len(bases) > _MOST:
            out.print(Text(f"    and {len(bases) - _MOST} more: --json has all", "dim"))
