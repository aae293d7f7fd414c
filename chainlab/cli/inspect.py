"""`chainlab inspect`: serves the traces to a browser on this machine, until Ctrl-C."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import typer

from chainlab.cli.run import DB

if TYPE_CHECKING:
    from chainlab.store.store import Store


def command(
    run: str | None = typer.Argument(None, metavar="[RUN]", help="An id, the beginning of one, last, or last-failed."),
    step: str | None = typer.Argument(None, metavar="[STEP]", help="A step's path."),
    port: int = typer.Option(8642, "--port", min=0, max=65535, help="The next free one when it is taken; 0: any."),
    browser: bool = typer.Option(True, "--browser/--no-browser", help="Open the page in a browser."),
    db: Path | None = DB,
) -> None:
    """Open the inspector: every run and step in the browser. Only this machine can reach it."""
    from chainlab.cli.database import find_run, open_existing, place

    if run is None:  # an empty list is worth showing: runs appear in it as they are made
        from chainlab.store.store import Store

        store = Store.open(place(db))
    else:
        store = open_existing(db)
    with store:
        run_id = None if run is None else find_run(store.reader, run, store.path)
        open_inspector(store, run_id, step, port=port, browser=browser)


def open_inspector(store: Store, run_id: str | None, step: str | None, *, port: int, browser: bool) -> None:
    """Serve the store's traces until Ctrl-C; where an inspector of this database runs already, use that one."""
    if _open_in_running(store.path, run_id, step, browser):
        return
    from chainlab.inspector.serve import serve

    serve(
        store.reader,
        database=store.path,
        port=port,
        open_browser=browser,
        run_id=run_id,
        step=step,
        announce=_announce,
    )


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
