"""All benchmarks: `python -m tests.benchmarks.run [--rounds N] [--write]`; `--write` puts the report into docs/."""

from __future__ import annotations

import argparse
import sys

from tests.benchmarks import concurrency, declaring, engine, imports, inspecting, peers, replaying, same_rows, transport
from tests.benchmarks.report import LANGGRAPH, ROOT, SCRATCH, conditions

_PREFACE = """# Benchmarks

`{command}`, on {conditions}.

Every subject does the same work: a 2 KB prompt made from the previous output, a 1 KB reply that was never given
before, an instant model in the process (`ScriptedBackend` for chainlab). Each measurement is a process of its own;
subjects take turns in rounds, so that whatever else the machine does meets all alike; ratios are taken within a round.
On a shared machine compare CPU time, not the wall clock. A wall ratio
below 1 against a floor is the disk of a busy machine and says nothing about chainlab.

- **chainlab** commits every step before its output is handed on ([architecture](architecture.md)). Of the 2 KB of the
  prompt, what stands in the template is stored once.
- **floor_dag_durable**: a small DAG executor that commits the same rows, byte for byte, before handing on, in the event
  loop where they are few (for a lone chain at once, as chainlab does; many in a thread, where chainlab commits them in
  pieces), and does nothing else: no events, no fence against a second process, no redaction, no retries
  ({same_rows}).
- **floor_dag_logged**: the same executor with one row per step put into a queue that nobody waits for: a crash loses
  the tail.
- **langgraph**: LangGraph with its SQLite checkpointer, which saves state after a step (by default while the next one
  runs already, so a crash may lose it) and is no trace.
"""


def main() -> None:
    """Run what was asked for and print or write the report."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--write", action="store_true", help="write docs/benchmarks.md")
    given = parser.parse_args()
    SCRATCH.mkdir(exist_ok=True)
    peers.install(LANGGRAPH)
    command = "python -m tests.benchmarks.run" + (f" --rounds {given.rounds}" if given.rounds != 5 else "")
    parts = [
        _PREFACE.format(command=command, conditions=conditions(), same_rows=same_rows.compare()).strip(),
        engine.section(given.rounds),
        concurrency.section(max(1, given.rounds - 2)),
        transport.section(max(1, given.rounds - 2)),
        replaying.section(given.rounds),
        inspecting.section(given.rounds),
        declaring.section(),
        imports.section(),
    ]
    report = "\n\n".join(parts) + "\n"
    if given.write:
        (ROOT / "docs" / "benchmarks.md").write_text(report)
    sys.stdout.write(report)


if __name__ == "__main__":
    main()
