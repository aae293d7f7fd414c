"""The inspector of a lab whose model writes word by word: `python -m tests.browser.typed DATABASE PORT`.

A prompt with the word `slowly` in it waits, before its fourth word, for a file named `gate` beside the database.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from pathlib import Path

from chainlab import Lab, Request
from chainlab.inspector.serve import serve
from chainlab.inspector.workbench import Workbench
from chainlab.store.store import Store
from tests.browser.bench import ROOT, SLOWLY, gate
from tests.inspector.typist import Typist
from tests.patience import turns_until


@contextmanager
def typed(database: Path, port: int = 0) -> Iterator[str]:
    """Serve a database until the block ends; gives a start address."""
    command = [sys.executable, "-m", "tests.browser.typed", str(database), str(port)]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    try:
        yield process.stdout.readline().strip()
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


def main(database: Path, port: int) -> None:
    async def opened() -> None:
        await turns_until(gate(database).exists, "the open gate")

    def pause(request: Request, written: str) -> Coroutine[None, None, None] | None:
        waits = written.count(" ") == 2 and SLOWLY in str(request.messages[-1]["content"])
        return opened() if waits else None

    def open_lab() -> Lab:
        return Lab.open(database, default_model=Typist(lambda _: "one two three four five", pause))

    with Store.open(database) as store:
        serve(
            store.reader,
            database=database,
            port=port,
            open_browser=False,
            announce=lambda url: print(url, flush=True),
            bench=Workbench(open_lab),
        )


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
