"""Whether declaring and planning a chain grows with its length or with the square of it."""

from __future__ import annotations

import time

from chainlab.plan import compile as plan
from tests.benchmarks import chains
from tests.benchmarks.report import number, table

_LENGTHS = (250, 500, 1000, 2000)


def section() -> str:
    """Measure; the section of the report."""
    chains.line(10)  # once for the caches
    rows = []
    for n in _LENGTHS:
        declaring, planning = [], []
        for _ in range(3):
            began = time.process_time()
            line = chains.line(n)
            declared = time.process_time()
            plan(line.spec)
            declaring.append(declared - began)
            planning.append(time.process_time() - declared)
        rows.append([f"{n:,}", number(min(declaring) / n * 1e6), number(min(planning) / n * 1e6)])
    words = "CPU µs per step, best of 3. Flat: the cost grows with the length and not with its square."
    return f"## Declaring\n\n{words}\n\n{table(['steps', 'declare and check', 'compile'], rows)}"


if __name__ == "__main__":
    print(section())
