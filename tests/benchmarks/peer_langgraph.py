"""LangGraph with its SQLite checkpointer doing the same work, in a virtual environment of its own without chainlab.

Started by `run.py` with that environment's Python: everything it imports is the standard library, LangGraph, and the
two modules of this folder that import nothing else.
"""

from __future__ import annotations

import operator
from itertools import count
from pathlib import Path
from types import SimpleNamespace
from typing import Annotated, Any, TypedDict

import aiosqlite  # type: ignore[import-not-found]  # only in the peer's own environment
from langgraph.checkpoint.sqlite.aio import AsyncSqliteSaver  # type: ignore[import-not-found]
from langgraph.graph import END, START, StateGraph  # type: ignore[import-not-found]
from langgraph.types import Send  # type: ignore[import-not-found]

from tests.benchmarks import worker, workload


class Line(TypedDict):
    """The state of a chain."""

    text: str


class Fan(TypedDict):
    """The state of a fan-out."""

    texts: list[str]
    replies: Annotated[list[str], operator.add]
    output: list[str]


async def build(name: str, shape: str, n: int, folder: Path, seconds: float) -> Any:
    """Compile the graph on a checkpointer and give what the worker measures."""
    model = workload.model(seconds)
    connection = await aiosqlite.connect(folder / "langgraph.db")
    saver = AsyncSqliteSaver(connection)
    await saver.setup()
    graph = (_line if shape == "chain" else _fan)(n, model).compile(checkpointer=saver)
    texts = [f"{i:05d} what the step of this number is asked" for i in range(n)]
    state = {"text": "hello"} if shape == "chain" else {"texts": texts, "replies": [], "output": []}
    threads = count()

    async def run() -> Any:
        config = {"recursion_limit": n + 10, "configurable": {"thread_id": f"run{next(threads)}"}}
        ended = await graph.ainvoke(state, config)
        return ended["text" if shape == "chain" else "output"]

    return SimpleNamespace(run=run, flush=lambda: None, close=connection.close)


def _line(n: int, model: Any) -> Any:
    async def step(state: Line) -> Line:
        return {"text": await model(workload.prompt_of(state["text"]))}

    graph = StateGraph(Line)
    for i in range(n):
        graph.add_node(f"step{i}", step)
    graph.add_edge(START, "step0")
    for i in range(n - 1):
        graph.add_edge(f"step{i}", f"step{i + 1}")
    graph.add_edge(f"step{n - 1}", END)
    return graph


def _fan(n: int, model: Any) -> Any:
    async def step(state: Line) -> Any:
        return {"replies": [await model(workload.prompt_of(state["text"]))]}

    async def gather(state: Fan) -> Any:
        return {"output": state["replies"]}

    graph = StateGraph(Fan)
    graph.add_node("step", step)
    graph.add_node("gather", gather)
    graph.add_conditional_edges(START, lambda state: [Send("step", {"text": t}) for t in state["texts"]], ["step"])
    graph.add_edge("step", "gather")
    graph.add_edge("gather", END)
    return graph


if __name__ == "__main__":
    worker.main(build)
