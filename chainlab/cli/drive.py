"""A run under a view, to its end or to Ctrl-C. Knows nothing of arguments."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from chainlab.cli.view import View
from chainlab.lab.lab import Lab
from chainlab.run import Run, RunStream


def drive(lab: Lab, begin: Callable[[], RunStream[Any]], view: View) -> Run[Any] | None:
    """The run that `begin` opens, failed or not; None when it was interrupted (its trace says `cancelled` then).

    Raises ChainError, ReplayError and ConfigError before anything is written. Ctrl-C cancels the run, which writes so
    and gives control back within a second.
    """
    try:
        with asyncio.Runner() as loop:
            return loop.run(_go(lab, begin, view))
    except KeyboardInterrupt:
        return None


async def _go(lab: Lab, begin: Callable[[], RunStream[Any]], view: View) -> Run[Any]:
    stream = begin()
    try:
        with view:
            async for event in stream:
                view.take(event)
        run = await stream.run()
    except asyncio.CancelledError:
        await stream.aclose()
        raise  # models are not closed: one in the middle of a reply would hold up the way out
    except BaseException:
        await stream.aclose()
        await lab.models.aclose()
        raise
    await lab.models.aclose()
    return run
