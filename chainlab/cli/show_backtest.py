"""A backtest for a terminal and for programs: what it would take, and the table of what became of every run."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from chainlab.cli.output import about_money, console, plural, safe, seconds, tokens, units
from chainlab.lab.backtest import Backtest, BacktestPlan, BacktestRow, BacktestVerdict, Side
from chainlab.lab.estimate import Estimate

if TYPE_CHECKING:
    from rich.console import Console

# In the order in which a person wants to see them.
_STYLES: dict[BacktestVerdict, tuple[str, str]] = {
    "broken": ("✗", "red"),
    "still-failing": ("✗", "yellow"),
    "fixed": ("✓", "green"),
    "changed": ("~", "cyan"),
    "refused": ("!", "yellow"),
    "pending": ("○", "dim"),
    "same": ("=", "dim"),
}


def say_estimate(found: Estimate, concurrency: int, out: Console) -> None:
    """How many calls, and about what they take."""
    most = f" to {found.calls_at_most}" if found.calls_at_most != found.calls else ""
    counted = found.tokens_in is not None and found.tokens_out is not None
    took = found.about_us(concurrency)
    parts = [
        f"calls   {found.calls}{most}",
        f"about {found.tokens_in:,} tokens in, {found.tokens_out:,} out" if counted else "tokens unknown",
        "time unknown" if took is None else f"about {seconds(took)}",
        about_money(found.cost_nano),
    ]
    out.print(", ".join(parts), style="dim")
    if found.unknown:
        out.print(
            f"note    {plural(found.unknown, 'call')} of steps that were never recorded are not counted in", style="dim"
        )


def say_plan(plan: BacktestPlan, concurrency: int, out: Console) -> None:
    """What a backtest would do."""
    ready = len(plan.runs) - len(plan.refused)
    refused = f", {len(plan.refused)} refused" if plan.refused else ""
    out.print(f"test    {plural(ready, 'run')} of {safe(plan.chain)}{refused}")
    say_estimate(plan.estimate, concurrency, out)
    for why, times in Counter(one.refused for one in plan.runs if one.refused is not None).items():
        out.print(f"refused {plural(times, 'run')}: {safe(why.message)}", style="yellow")
        for name, said in (("expected", why.expected), ("got", why.got), ("fix", why.remedy)):
            if said:
                out.print(f"          {name:<9} {safe(said)}", style="yellow")
    for note, times in Counter(note for one in plan.runs for note in one.notes).items():
        often = f" ({plural(times, 'run')})" if times > 1 else ""
        out.print(f"note    {safe(note)}{often}", style="yellow")


def plan_json(plan: BacktestPlan) -> dict[str, Any]:
    """The same for programs."""
    return {
        "chain": plan.chain,
        **estimate_json(plan.estimate),
        "runs": [
            {
                "run": one.run.id,
                "status": one.run.status,
                "calls": one.calls,
                "calls_at_most": one.calls_at_most,
                "refused": None if one.refused is None else asdict(one.refused),
                "notes": list(one.notes),
            }
            for one in plan.runs
        ],
    }


def estimate_json(found: Estimate) -> dict[str, Any]:
    """An estimate for programs. `work_us`: of one call after the other."""
    return {
        "calls": found.calls,
        "calls_at_most": found.calls_at_most,
        "tokens_in": found.tokens_in,
        "tokens_out": found.tokens_out,
        "work_us": found.work_us,
        "cost": units(found.cost_nano),
    }


def say_backtest(found: Backtest) -> None:
    """The table, the counts, and where to look first."""
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, padding=(0, 2, 0, 0), header_style="dim")
    for name in ("", "before", "now", "failed steps", "took", "tokens", "why"):
        right = name in ("took", "failed steps")
        table.add_column(name, no_wrap=True, overflow="ellipsis", justify="right" if right else "left")
    rows = sorted(found.rows, key=lambda row: list(_STYLES).index(row.verdict))
    for row in rows:
        sign, style = _STYLES[row.verdict]
        why = row.message or ""
        table.add_row(
            Text(f"{sign} {_word(row.verdict)}", style),
            row.run_id,
            row.fork_id or "",
            _failed(row.before, row.after),
            seconds(row.duration_us),
            tokens(row.tokens_in, row.tokens_out),
            Text(safe(why)[:60], "red" if row.verdict != "refused" else "yellow"),
        )
    out = console()
    if not out.is_terminal:
        out.width = 200  # nothing is cut for a pipe
    out.print()
    out.print(table, soft_wrap=False)
    out.print()
    counts = found.counts
    out.print(", ".join(f"{counts[verdict]} {_word(verdict)}" for verdict in _STYLES if counts[verdict]))
    out.print(f"batch  {found.id}", style="dim")
    first = next((row for row in rows if row.fork_id is not None and row.verdict != "same"), None)
    if first is not None:
        out.print(f"diff   {diff_command(first)}")


def backtest_json(found: Backtest) -> dict[str, Any]:
    """The same for programs."""
    return {
        "batch": found.id,
        "kind": "backtest",
        "chain": found.chain,
        "status": found.status,
        "done": found.done,
        "total": found.total,
        "counts": dict(found.counts),
        "failing": found.failing,
        "cost": None,
        "rows": [
            {
                "run": row.run_id,
                "fork": row.fork_id,
                "verdict": row.verdict,
                "before": None if row.before is None else asdict(row.before),
                "after": None if row.after is None else asdict(row.after),
                "code": row.code,
                "message": row.message,
                "tokens_in": row.tokens_in,
                "tokens_out": row.tokens_out,
                "duration_us": row.duration_us,
            }
            for row in found.rows
        ],
    }


def diff_command(row: BacktestRow) -> str:
    """What to type to compare a run with its fork."""
    return f"chainlab diff {row.run_id} {row.fork_id}"


def _word(verdict: BacktestVerdict) -> str:
    return verdict.replace("-", " ")


def _failed(before: Side | None, after: Side | None) -> str:
    if before is None or after is None or not (before.steps_failed or after.steps_failed):
        return ""
    return f"{before.steps_failed} -> {after.steps_failed}"
