"""The inspector as a process that is attacked: `python -m tests.inspector.attacked DB`. It repeats what it hears.

Rendering a template ends this process: nothing of a page may be rendered in it.
"""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path
from typing import Any, NoReturn

from chainlab import Lab, Request, ScriptedBackend, chain, fill, prompt
from chainlab.inspector.serve import serve
from chainlab.inspector.workbench import Allowed, Workbench
from chainlab.sandbox.limits import Limits
from chainlab.spec.template import Template
from chainlab.store.store import Store

RENDERED = 86  # the exit status of a server that rendered a template itself
WAIT = "Wait for ever."


@prompt("Repeat {{ x }}, {{ name }}, {{ base }}.")
def repeat(x: Any, name: Any, base: Any) -> str:
    return fill()


@chain
def echo(x: Any, name: Any, base: Any) -> str:
    """One prompt whose variables are those of the attacks."""
    return repeat(x, name, base)


def open_lab(database: Path) -> Lab:
    """A lab whose model repeats what it hears, and never answers to WAIT."""

    async def said(request: Request) -> str:
        heard: str = request.messages[-1]["content"]
        if heard.startswith(WAIT):
            await asyncio.Event().wait()
        return f"heard: {heard}"

    return Lab.open(database, default_model=ScriptedBackend(said))


def main(database: Path) -> None:
    """Serve until somebody ends the process."""

    def render(*_: object, **__: object) -> NoReturn:
        os._exit(RENDERED)

    Template.render = render  # type: ignore[method-assign]  # the point of it
    bench = Workbench(lambda: open_lab(database), Allowed(max_calls=10_000), limits=Limits(cpu_s=0.25))
    with Store.open(database) as store:
        serve(
            store.reader,
            database=database,
            port=0,
            open_browser=False,
            announce=lambda url: print(url, flush=True),
            bench=bench,
        )


if __name__ == "__main__":
    main(Path(sys.argv[1]))
