"""A batch under its view, to its end or to Ctrl-C; and the end of the command. Knows nothing of arguments."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Callable, Coroutine
from typing import Any, NoReturn, TypeVar

import typer

from chainlab.cli.batch_view import BatchView
from chainlab.cli.output import print_json, say_error
from chainlab.lab.batches import Tell
from chainlab.lab.lab import Lab

B = TypeVar("B")


def drive_batch(lab: Lab, begin: Callable[[Tell], Coroutine[Any, Any, B]], view: BatchView) -> B | None:
    """The batch that `begin` carries out; None when it was interrupted (it is recorded as cancelled then)."""
    try:
        with asyncio.Runner() as loop:
            return loop.run(_go(lab, begin, view))
    except KeyboardInterrupt:
        return None


async def _go(lab: Lab, begin: Callable[[Tell], Coroutine[Any, Any, B]], view: BatchView) -> B:
    try:
        with view:
            found = await begin(view.take)
    except asyncio.CancelledError:
        raise  # models are not closed: one in the middle of a reply would hold up the way out
    except BaseException:
        await lab.models.aclose()
        raise
    await lab.models.aclose()
    return found


def leave_interrupted(view: BatchView, command: str, *, json: bool) -> NoReturn:
    """Say how to go on, and end the process at once: an orderly end destroys what native threads of a model use."""
    last = view.last
    if last is None:
        say_error("interrupted before the batch began: nothing was recorded")
    else:
        if json:
            print_json({"batch": last.batch_id, "status": "cancelled", "done": last.done, "total": last.total})
        say_error(
            f"interrupted: {last.done} of {last.total} runs of batch {last.batch_id} are done\n"
            f"  go on     {command} --resume {last.batch_id}"
        )
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(130)


def refuse_both(targets: object, resume: str | None, what: str) -> None:
    """Refuse a command that names both something to begin with and a batch to go on with, or neither."""
    if bool(targets) == (resume is not None):
        given = f"{what} and --resume" if resume is not None else "nothing"
        raise typer.BadParameter(f"give either {what} or --resume BATCH; this gives {given}")
