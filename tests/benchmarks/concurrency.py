"""Many runs at once: chains of 4 steps whose model takes 0.2 s, so 0.8 s if the engine took no time."""

from __future__ import annotations

from tests.benchmarks.report import Case, in_rounds, loads, middle, number, table, verdict

_ROUNDS = 3
_SUBJECTS = ("chainlab", "floor_dag_logged", "floor_dag_durable")
_IDEAL_S = 0.8
_GC = 100_000


def section(rounds: int = _ROUNDS) -> str:
    """Measure; the section of the report."""
    counts = (1000, 10_000)
    cases: dict[tuple[str, int], Case] = {}
    for count in counts:
        arguments = ("chain", "4", "--runs", str(count), "--seconds", "0.2")
        cases |= {(name, count): Case(name, arguments) for name in _SUBJECTS}
        cases[f"chainlab, gc.set_threshold({_GC:,}, 50, 50)", count] = Case("chainlab", (*arguments, "--gc", str(_GC)))
    found = in_rounds(list(cases.values()), rounds)
    rows = []
    for (name, count), case in cases.items():
        results = found[case]
        walls = middle(results, "wall_s")
        cells = [number(walls, 2), number(middle(results, "cpu_us")), number(middle(results, "peak_mb"))]
        goal = ""
        if name == "chainlab":
            most = 1.3 * _IDEAL_S if count == 1000 else 4.0
            goal = f"<= {most:.2f} s: {verdict(walls, most)}"
        rows.append([f"{count:,}", name, *cells, goal])
    head = ["runs at once", "subject", "wall s", "CPU µs per step", "peak RSS MB", "goal"]
    words = f"{rounds} rounds, medians, {loads(found.values())}. Ideal: {_IDEAL_S} s."
    advice = (
        "With many runs alive the garbage collector, at Python's own thresholds, looks at all of them again and again."
        " A library must not change that for a whole process; an application with thousands of runs at once should."
    )
    return f"## Many runs at once\n\n{words}\n\n{table(head, rows)}\n\n{advice}"


if __name__ == "__main__":
    print(section())
