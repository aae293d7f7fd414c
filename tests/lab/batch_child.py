"""The process that is killed: `python -m tests.lab.batch_child DB CALLS` backtests the chain `brief` of DB.

Every call appends its text to CALLS before it is answered; an answer takes 20 ms. After 30 of them none comes any more,
so that the process is killed in the middle however late that is.
"""

from __future__ import annotations

import asyncio
import os
import sys

from chainlab import Lab, Request, ScriptedBackend
from tests.lab.batch_chain import NEW, reply


def main(database: str, calls: str) -> None:
    """Backtest until somebody kills the process."""
    out = os.open(calls, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    left = 30

    async def slowly(request: Request) -> str:
        nonlocal left
        os.write(out, f"{request.messages[-1]['content']}\n".encode())
        left -= 1
        await (asyncio.sleep(0.02) if left >= 0 else asyncio.Event().wait())
        return reply(request)

    with Lab.open(database, default_model=ScriptedBackend(slowly)) as lab:
        lab.backtest_sync(lab.plan_backtest([NEW], chain="brief", last=100), concurrency=3)


if __name__ == "__main__":
    main(*sys.argv[1:3])
