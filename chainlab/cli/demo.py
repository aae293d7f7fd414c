"""`chainlab demo`: a chain on the built-in model over a real text, then its trace in the inspector."""

from __future__ import annotations

from pathlib import Path
from typing import NoReturn

import typer

from chainlab.cli.run import DB


def command(
    file: Path | None = typer.Option(None, "--file", metavar="PATH", help="Any text file. Default: a built-in text."),
    serve: bool = typer.Option(True, "--serve/--no-serve", help="Leave the inspector on. Off when CI is set."),
    port: int = typer.Option(8642, "--port", min=0, max=65535, help="The inspector's port."),
    db: Path | None = DB,
) -> None:
    """Split a text, summarise every part, make a card of it: on a real model, with no key and no account."""
    _demo(file, serve, port, db)


def _demo(file: Path | None, serve: bool, port: int, db: Path | None) -> NoReturn:
    from chainlab.cli.demo_chain import digest, words_of
    from chainlab.cli.drive import drive
    from chainlab.cli.ending import leave, tell
    from chainlab.cli.output import console, in_ci, plural
    from chainlab.cli.view import open_view
    from chainlab.config.settings import DEFAULT_MODEL
    from chainlab.lab.lab import Lab

    text = _text(file)
    source = str(file) if file is not None else "the first pages of Alice's Adventures in Wonderland (1865)"
    console().print(f"reading {source}: {plural(len(words_of(text)), 'word')}")
    view = open_view(json=False)
    with Lab.open(db, default_model=DEFAULT_MODEL) as lab:
        database = lab.store.path
        run = drive(lab, lambda: lab.stream(digest, **{"text": text}), view)
    tell(run, view.board, database)
    if run is None:
        leave(run, view.board)
    console().print(f"steps  chainlab show {run.id}")
    if serve and not in_ci():
        from chainlab.cli.inspect import open_inspector
        from chainlab.store.store import Store

        with Store.open(database) as store:
            open_inspector(store, run.id, None, port=port, browser=False)
    else:
        console().print(f"page   http://127.0.0.1:{port}/#/runs/{run.id}  (once `chainlab inspect` runs)")
    leave(run, view.board)


def _text(file: Path | None) -> str:
    """The text to read. Raises ChainError."""
    from chainlab.errors import ChainError

    place = file.expanduser() if file is not None else Path(__file__).with_name("demo.txt")
    try:
        text = place.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        raise ChainError(f"{str(place)!r} cannot be read: {why}", code="no-text", remedy="name a text file") from None
    if not text.split():
        raise ChainError(f"{str(place)!r} holds no words", code="no-text", remedy="name a text file")
    return text
