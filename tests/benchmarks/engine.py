"""What a step costs: chains and a fan-out with full durable logging, against the floors and LangGraph."""

from __future__ import annotations

from tests.benchmarks.report import Case, Found, in_rounds, loads, middle, number, ratio, table, verdict
from tests.benchmarks.subjects import SUBJECTS

SHAPES = (("chain", 10), ("chain", 1000), ("fan", 1000))
_ROUNDS = 5


def section(rounds: int = _ROUNDS) -> str:
    """Measure; the section of the report."""
    cases = [Case(name, (shape, str(n))) for shape, n in SHAPES for name in (*SUBJECTS, "langgraph")]
    found = in_rounds(cases, rounds)

    def of(name: str, shape: str, n: int) -> list[Found] | str:
        return found[Case(name, (shape, str(n)))]

    rows, goals, failures = [], [], []
    for shape, n in SHAPES:
        title = f"{'chain' if shape == 'chain' else 'fan-out'} of {n}"
        for name in (*SUBJECTS, "langgraph"):
            results = of(name, shape, n)
            if isinstance(results, str):
                failures.append(f"{name}, {title}: {results}")
            cells = [number(middle(results, key)) for key in ("cpu_us", "wall_us")]
            rows.append([title, name, *cells, number(middle(results, "build_ms"))])
        ours, floor = of("chainlab", shape, n), of("floor_dag_durable", shape, n)
        for name, key, goal in _goals(shape):
            least = name == "langgraph"
            other = of(name, shape, n)
            value, at_best = (ratio(other, mine, key) if least else ratio(mine, other, key) for mine in (ours, floor))
            words = f"{name} / chainlab" if least else f"chainlab / {name}"
            sign = ">=" if least else "<="
            what = "CPU" if key == "cpu_us" else "wall"
            judged = verdict(value, goal, least=least)
            goals.append([title, f"{what}, {words}", number(value, 2), number(at_best, 2), f"{sign} {goal}", judged])
    parts = [
        "## A step",
        f"{rounds} rounds, medians, {loads(found.values())}. µs per step; CPU of all threads of the process.",
        table(["shape", "subject", "CPU µs", "wall µs", "declare or build, CPU ms"], rows),
        "Ratios within a round, median of the rounds:",
        table(["shape", "ratio", "measured", "with the durable floor for chainlab", "goal", ""], goals),
        "Where the durable floor misses a goal, too, no executor in Python meets it that commits these rows before it"
        " hands on: that takes fewer rows for a step, or a weaker promise.",
    ]
    if failures:
        parts.append("Not measured: " + "; ".join(failures) + ".")
    return "\n\n".join(parts)


def _goals(shape: str) -> list[tuple[str, str, float]]:
    if shape == "chain":
        return [("floor_dag_durable", "cpu_us", 1.5), ("floor_dag_durable", "wall_us", 1.5), ("langgraph", "cpu_us", 5)]
    return [("floor_dag_logged", "cpu_us", 2), ("floor_dag_durable", "cpu_us", 1.5), ("langgraph", "cpu_us", 10)]


if __name__ == "__main__":
    print(section())
