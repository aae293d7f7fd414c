"""The inspector in a process of its own, as users have it."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_PROGRAM = """
import sys
from pathlib import Path
from chainlab.inspector.serve import serve
from chainlab.store.store import Store
path = Path(sys.argv[1])
with Store.open(path) as store:
    serve(store.reader, database=path, port=int(sys.argv[2]), open_browser=False,
          announce=lambda url: print(url, flush=True))
"""


@contextmanager
def server(database: Path, port: int = 0) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """Serve a database; gives the process and its first start address."""
    command = [sys.executable, "-c", _PROGRAM, str(database), str(port)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    try:
        yield process, process.stdout.readline().strip()
    finally:
        process.kill()
        process.wait()
        process.stdout.close()
