"""The inspector of a lab whose models are a script, in a process of its own: one that carries out replays.

`python -m tests.browser.bench DATABASE MODE`; `MODE` is `replays`, `drifted` (the model of one step is another one than
when the runs were recorded) or `reads` (it only shows). Prints its start address.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal, TypeAlias

from chainlab import Lab, Request, ScriptedBackend
from chainlab.inspector.serve import serve
from chainlab.inspector.workbench import Allowed, Workbench
from chainlab.store.store import Store
from tests.inspector.story import story_reply
from tests.patience import turns_until

ROOT = Path(__file__).resolve().parents[2]
SLOWLY = "slowly"

Mode: TypeAlias = Literal["replays", "drifted", "reads"]


def gate(database: Path) -> Path:
    """The file that a prompt with the word `SLOWLY` in it waits for."""
    return database.with_name("gate")


class Drifted(ScriptedBackend):
    """The same names; but what stands behind `big` is another model."""

    def identity(self, model: str, adapter: str | None) -> str:
        return super().identity(model, adapter) + (" of today" if model == "big" else "")


@contextmanager
def bench(database: Path, mode: Mode) -> Iterator[None]:
    """Serve a database until the block ends."""
    command = [sys.executable, "-m", "tests.browser.bench", str(database), mode]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    try:
        assert process.stdout.readline().startswith("http")
        yield
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


def main(database: Path, mode: str) -> None:
    async def reply(request: Request) -> object:
        if SLOWLY in str(request.messages[-1]["content"]):
            await turns_until(gate(database).exists, "the open gate")
        return story_reply(request)

    def open_lab() -> Lab:
        return Lab.open(database, default_model=(Drifted if mode == "drifted" else ScriptedBackend)(reply))

    with Store.open(database) as store:
        serve(
            store.reader,
            database=database,
            port=0,
            open_browser=False,
            announce=lambda url: print(url, flush=True),
            bench=Workbench(open_lab, Allowed(replay=mode != "reads", max_calls=500)),
        )


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2])
