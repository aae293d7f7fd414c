"""The same faults for openai-python, as a table: python -m tests.faults.peer_openai (its environment needs openai).

Measured once and kept in docs/faults.md; openai is no dependency of chainlab. The client is used as its documentation
shows, with its own retries and a timeout of 60 s, on the clock that leaps.
"""

from __future__ import annotations

import asyncio
import importlib
import json
import resource
import subprocess
import sys
from typing import Any

from tests.faults.clock import on_a_leaping_clock
from tests.faults.faults import BOTH, GOOD, PLAIN, STREAMED, Fault, well
from tests.faults.server import Call, serving

LONGEST_S = 900.0
WALL_S = 40.0


async def ask(fault: Fault, streamed: bool) -> tuple[str, int, float]:
    """What came of it, in a word; how many requests; how many seconds."""
    openai: Any = importlib.import_module("openai")

    done = 0

    async def answer(call: Call) -> None:
        nonlocal done
        at_fault = not (fault.once and done)
        done += 1
        await (fault.act if at_fault else well)(call)

    loop = asyncio.get_running_loop()
    async with serving(answer) as server:
        client = openai.AsyncOpenAI(base_url=server.url, api_key="x" * 20, timeout=60)
        began = loop.time()
        try:
            async with asyncio.timeout(LONGEST_S):
                said = await _said(client, streamed)
            outcome = _judge(said, fault)
        except TimeoutError:
            outcome = f"hangs (over {LONGEST_S:g} s)"
        except openai.OpenAIError as error:
            outcome = type(error).__name__
        except Exception as error:
            outcome = f"untyped {type(error).__name__}"
        took = loop.time() - began
        await client.close()
    return outcome, done, took


async def _said(client: Any, streamed: bool) -> str:
    messages: Any = [{"role": "user", "content": "first: x"}]
    if not streamed:
        reply = await client.chat.completions.create(model="m", messages=messages)
        return str(reply.choices[0].message.content)
    text = ""
    async for chunk in await client.chat.completions.create(model="m", messages=messages, stream=True):
        if chunk.choices:
            text += chunk.choices[0].delta.content or ""
    return text


def _judge(text: str, fault: Fault) -> str:
    if "does not fit" in fault.name or fault.code == "output-invalid":
        return "handed on: types are the caller's"
    try:
        return "ok" if json.loads(text) == GOOD else "wrong success"
    except ValueError:
        return "wrong success"


def rows() -> list[tuple[Fault, bool]]:
    """Each fault, and whether it is streamed, as test_faults.py has them."""
    return [(fault, False) for fault in (*BOTH, *PLAIN)] + [(fault, True) for fault in (*BOTH, *STREAMED)]


def one(index: int) -> None:
    """Print what comes of one row as JSON, within 2 GiB."""
    resource.setrlimit(resource.RLIMIT_AS, (2 << 30, 2 << 30))
    print(json.dumps(on_a_leaping_clock(ask(*rows()[index]))))


def apart(index: int) -> tuple[str, str]:
    """The outcome and the requests of one row, measured in a process of its own: an answer without end ends there."""
    command = [sys.executable, "-m", "tests.faults.peer_openai", str(index)]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=WALL_S, check=False)
    except subprocess.TimeoutExpired:
        return f"does not end (stopped after {WALL_S:g} s of real time)", "1"
    try:
        outcome, requests, took = json.loads(done.stdout)
    except ValueError:
        return "out of memory (2 GiB)", "1"
    return outcome + (f", {took:.0f} s" if took > 90 else ""), str(requests)


def main() -> None:
    """Print the table in Markdown; with a row's number, that row alone."""
    openai: Any = importlib.import_module("openai")

    if len(sys.argv) > 1:
        one(int(sys.argv[1]))
        return
    print(f"openai-python {openai.__version__}\n")
    print("| fault | chainlab | requests | openai-python | requests |")
    print("|---|---|---|---|---|")
    for index, (fault, streamed) in enumerate(rows()):
        outcome, requests = apart(index)
        mode = "streamed" if streamed else "plain"
        line = f"| {mode}: {fault.name} | {fault.code or 'ok'} | {fault.requests} | {outcome} | {requests} |"
        print(line, flush=True)


if __name__ == "__main__":
    main()
