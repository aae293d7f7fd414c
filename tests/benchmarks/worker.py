"""One measurement in a process of its own: one subject, one shape. Prints a line of JSON. Run by `run.py`."""

from __future__ import annotations

import argparse
import asyncio
import gc
import json
import resource
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

_MEASURE_S = 1.5  # repeat a run until about that much time has passed


def main(build: Any) -> None:
    """Read the arguments, build the subject, measure, print."""
    parser = argparse.ArgumentParser()
    parser.add_argument("subject")
    parser.add_argument("shape", choices=["chain", "fan"])
    parser.add_argument("n", type=int)
    parser.add_argument("--runs", type=int, default=0, help="so many runs at once, instead of one after the other")
    parser.add_argument("--seconds", type=float, default=0.0, help="how long a reply takes")
    parser.add_argument("--folder", default=None)
    parser.add_argument("--gc", type=int, default=0, help="first threshold of the garbage collector")
    given = parser.parse_args()
    sys.setrecursionlimit(100_000)
    if given.gc:
        gc.set_threshold(given.gc, 50, 50)
    with tempfile.TemporaryDirectory(dir=given.folder) as folder:
        found = asyncio.run(_measure(build, given, Path(folder)))
        found["disk_mb"] = sum(file.stat().st_size for file in Path(folder).rglob("*") if file.is_file()) / 1e6
        print(json.dumps(found), flush=True)


async def _measure(build: Any, given: argparse.Namespace, folder: Path) -> dict[str, Any]:
    # Building: declaring or compiling what runs.
    began = time.process_time()
    made = build(given.subject, given.shape, given.n, folder, given.seconds)
    subject = await made if asyncio.iscoroutine(made) else made
    found: dict[str, Any] = {"subject": given.subject, "build_ms": (time.process_time() - began) * 1e3}
    try:
        found |= await (_at_once(subject, given) if given.runs else _in_turn(subject, given.n))
    finally:
        ended = subject.close()
        if asyncio.iscoroutine(ended):
            await ended
    return found


async def _in_turn(subject: Any, n: int) -> dict[str, Any]:
    began = time.perf_counter()
    assert await subject.run()
    took = 0.0
    warm = 1 if time.perf_counter() - began > _MEASURE_S else 5
    for _ in range(warm):
        began = time.perf_counter()
        await subject.run()
        took = time.perf_counter() - began
    subject.flush()
    repeat = max(2, min(1000, int(_MEASURE_S / took)))
    gc.collect()
    walls = []
    loop, cpu = time.thread_time(), time.process_time()
    for _ in range(repeat):
        began = time.perf_counter()
        await subject.run()
        walls.append(time.perf_counter() - began)
    loop = time.thread_time() - loop
    subject.flush()
    cpu = time.process_time() - cpu
    per = 1e6 / n / repeat
    return {
        "repeat": repeat,
        "cpu_us": cpu * per,
        "loop_us": loop * per,
        "wall_us": sorted(walls)[len(walls) // 2] / n * 1e6,
    }


async def _at_once(subject: Any, given: argparse.Namespace) -> dict[str, Any]:
    await subject.run()
    subject.flush()
    gc.collect()
    before = _peak_mb()
    cpu, began = time.process_time(), time.perf_counter()
    await asyncio.gather(*(subject.run() for _ in range(given.runs)))
    subject.flush()
    wall, cpu = time.perf_counter() - began, time.process_time() - cpu
    return {
        "wall_s": wall,
        "cpu_s": cpu,
        "cpu_us": cpu / given.runs / given.n * 1e6,
        "peak_mb": _peak_mb(),
        "before_mb": before,
    }


def _peak_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


if __name__ == "__main__":
    from tests.benchmarks.subjects import subject

    main(subject)
