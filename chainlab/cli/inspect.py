"""`chainlab inspect`: serves the traces to a browser on this machine, until Ctrl-C."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import typer

from chainlab.cli.run import DB

if TYPE_CHECKING:
    from chainlab.lab.lab import Lab
    from chainlab.store.store import Store

_CALLS = 1000  # model calls that a page may cause, unless --max-calls says otherwise


def command(
    run: str | None = typer.Argument(
        None, metavar="[RUN]", help="An id, the beginning of one, last, or last-failed; or FILE.py, as --module."
    ),
    step: str | None = typer.Argument(None, metavar="[STEP]", help="A step's path."),
    port: int = typer.Option(8642, "--port", min=0, max=65535, help="The next free one when it is taken; 0: any."),
    browser: bool = typer.Option(True, "--browser/--no-browser", help="Open the page in a browser."),
    module: list[Path] = typer.Option(
        [], "--module", metavar="FILE.py", help="The author's file: its Python steps can run in replays. Repeatable."
    ),
    allow_write: bool = typer.Option(False, "--allow-write", help="Let the page patch source files (keep)."),
    read_only: bool = typer.Option(False, "--read-only", help="Only show traces: no replay, no batch, no keep."),
    max_calls: int = typer.Option(_CALLS, "--max-calls", min=0, metavar="N", help="Model calls the page may cause."),
    db: Path | None = DB,
) -> None:
    """Open the inspector: every run and step in the browser. Only this machine can reach it."""
    from chainlab.cli.database import find_run, open_existing, place
    from chainlab.cli.load import load_file
    from chainlab.errors import ConfigError

    if read_only and allow_write:
        raise ConfigError(
            "--read-only and --allow-write contradict each other", code="bad-option", remedy="leave one of them out"
        )
    if run is not None and run.endswith(".py"):
        module, run, step = [*module, Path(run)], step, None
    for file in module:
        load_file(file)
    if run is None:  # an empty list is worth showing: runs appear in it as they are made
        from chainlab.store.store import Store

        store = Store.open(place(db))
    else:
        store = open_existing(db)
    with store:
        run_id = None if run is None else find_run(store.reader, run, store.path)
        open_inspector(
            store,
            run_id,
            step,
            port=port,
            browser=browser,
            replay=not read_only,
            write=allow_write,
            max_calls=max_calls,
            own=bool(module) or read_only or allow_write or max_calls != _CALLS,
        )


def open_inspector(
    store: Store,
    run_id: str | None,
    step: str | None,
    *,
    port: int,
    browser: bool,
    replay: bool = True,
    write: bool = False,
    max_calls: int = _CALLS,
    own: bool = False,
) -> None:
    """Serve the store's traces until Ctrl-C; where an inspector of this database runs already, use that one.

    `own`: start another all the same, since this one was asked to be another (it has a module, or may not replay).
    """
    if not own and _open_in_running(store.path, run_id, step, browser):
        return
    from chainlab.inspector.serve import serve
    from chainlab.inspector.workbench import Allowed, Workbench

    path = store.path
    serve(
        store.reader,
        database=path,
        port=port,
        open_browser=browser,
        run_id=run_id,
        step=step,
        announce=_announce,
        bench=Workbench(lambda: _lab(path), Allowed(replay, write, max_calls)),
    )


def _lab(path: Path) -> Lab:
    from chainlab.lab.lab import Lab

    return Lab.open(path)


def _announce(url: str) -> None:
    from chainlab.cli.output import console

    console().print(f"inspector  {url}")
    console().print("the address works once; stop with Ctrl-C", style="dim")


def _open_in_running(database: Path, run_id: str | None, step: str | None, browser: bool) -> bool:
    """Use the inspector of this database that runs already, if one answers."""
    import socket
    import webbrowser

    from chainlab.lab.link import running, start_url, state_file

    state = running(state_file(database))
    if state is None or state.database != str(database.absolute()):
        return False
    try:
        socket.create_connection(("127.0.0.1", state.port), timeout=0.5).close()
    except OSError:  # its process number is another's by now
        return False
    from chainlab.cli.output import console

    console().print(f"an inspector runs already  {start_url(state, run_id, step)}")
    if browser:
        webbrowser.open(start_url(state, run_id, step))
    return True
