"""What `import chainlab` costs, against the two libraries it is made of."""

from __future__ import annotations

import json
import resource
import subprocess
import sys
from statistics import median

from tests.benchmarks.report import ROOT, environment, number, table, verdict

_ROUNDS = 15
_HEAVY = ("sqlalchemy", "alembic", "networkx", "fastapi", "uvicorn", "httpx", "typer", "rich", "jsonschema")
_BOTH = "from pydantic import BaseModel\nfrom jinja2 import Environment\n"
_CODES = {
    "python alone": "",
    "pydantic, jinja2": _BOTH,
    "pydantic, jinja2; a model": _BOTH + "class Model(BaseModel):\n    x: int\n",
    "chainlab": "import chainlab\n",
    "chainlab; its names": "from chainlab import chain, fill, prompt, step\n",
    "chainlab; a chain": """
from chainlab import chain, fill, prompt

@prompt("Summarise this text: {{ text }}")
def summarise(text: str) -> str:
    return fill()

@chain
def twice(text: str) -> str:
    return summarise(summarise(text))
""",
}


def _cpu(code: str) -> float:
    """CPU milliseconds of a fresh interpreter."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, env=environment(), check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return (after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime) * 1e3


def _modules(code: str) -> list[str]:
    code += "\nimport sys, json\nprint(json.dumps(sorted(sys.modules)))"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, env=environment(), check=True, capture_output=True, text=True
    )
    found: list[str] = json.loads(done.stdout)
    return found


def section(rounds: int = _ROUNDS) -> str:
    """Measure; the section of the report."""
    for code in _CODES.values():
        _cpu(code)  # once for the caches
    found: dict[str, list[float]] = {name: [] for name in _CODES}
    for _ in range(rounds):
        for name, code in _CODES.items():
            found[name].append(_cpu(code))
    bare = median(found["python alone"])
    cost = {name: median(times) - bare for name, times in found.items()}
    modules = {name: _modules(code) for name, code in _CODES.items()}
    heavy = [name for name in _HEAVY if name in modules["chainlab; a chain"]]
    value = cost["chainlab"] / cost["pydantic, jinja2"]
    named = cost["chainlab; its names"] / cost["pydantic, jinja2"]
    used = cost["chainlab; a chain"] / cost["pydantic, jinja2; a model"]
    rows = [[f"`{name}`", number(cost[name] or bare), str(len(modules[name]))] for name in _CODES]
    parts = [
        "## Import",
        f"{rounds} rounds, median CPU ms of a process less that of Python alone ({bare:.0f} ms).",
        table(["", "CPU ms", "modules"], rows),
        f"`import chainlab` / (pydantic, jinja2): {value:.2f}; goal <= 1.3: {verdict(value, 1.3)}. That alone says"
        " little: a name loads what it needs when it is first used (which is why the command line starts without the"
        f" two). With the names that a chain is written with: {named:.2f}, which would be {verdict(named, 1.3)}: they"
        " define models, for which pydantic loads what the bare import does not. With a chain, against the two with"
        f" a model: {used:.2f}.",
        f"Of {', '.join(_HEAVY)} it loads {', '.join(heavy) or 'none'}.",
    ]
    return "\n\n".join(parts)


if __name__ == "__main__":
    print(section())
