"""What the replay tests share: a chain with every part that matters, a model that is written down, and a look below."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, Field

from chainlab import Edit, Lab, Request, Run, ScriptedBackend, chain, each, fill, prompt, step, system, user


class Topics(BaseModel):
    topics: list[str]


class Review(BaseModel):
    score: Annotated[int, Field(ge=0, le=10)]
    text: str


@prompt("List the topics of {{ text }}")
def extract(text: str) -> Topics:
    return fill()


@prompt("Summarise {{ topic }}")
def summarise(topic: str) -> str:
    return fill()


@step
def join(notes: list[str]) -> str:
    return " / ".join(notes)


@prompt(messages=[system("You are strict."), user("Critique {{ article }}")])
def critique(article: str) -> Review:
    return fill()


@chain
def brief(text: str) -> Review:
    """extract, each(summarise), join, critique."""
    found = extract(text)
    notes = each(found.topics, lambda topic: summarise(topic))
    return critique(join(notes))


@dataclass
class Model:
    """Answers every step. `asked`: path and last words of every call; `fails`: words that make it fail."""

    topics: list[str] = field(default_factory=lambda: ["tea", "bread"])
    fails: set[str] = field(default_factory=set)
    asked: list[tuple[str, str]] = field(default_factory=list)
    requests: list[Request] = field(default_factory=list)
    answer: Callable[[Request, str], Any] | None = None

    def reply(self, request: Request) -> Any:
        said = str(request.messages[-1]["content"])
        self.asked.append((request.step, said))
        self.requests.append(request)
        if any(word in said for word in self.fails):
            return RuntimeError("the model is away")
        if self.answer is not None:
            return self.answer(request, said)
        if request.output_schema is None:
            return f"<{said}>"
        wanted = request.output_schema.get("properties", {})
        if "topics" in wanted:
            return {"topics": list(self.topics)}
        return {"score": 5, "text": said} if "score" in wanted else json.dumps(f"<{said}>")

    def open(self, path: Path) -> Lab:
        """A lab whose every model is this one."""
        return Lab.open(path, default_model=ScriptedBackend(self.reply))

    def take(self) -> list[str]:
        """The paths of the calls since the last look."""
        paths = [path for path, _ in self.asked]
        self.asked.clear()
        return paths


@dataclass
class Bench:
    """A lab, its model, and replays that are held against what was said before."""

    lab: Lab
    model: Model

    def run(self, what: Any = brief, /, *args: Any) -> Run[Any]:
        """A run of a chain, `brief` by default; its calls are forgotten."""
        run: Run[Any] = self.lab.run_sync(what, *(args or ("a letter",)))
        self.model.take()
        return run

    def fork(self, run: Run[Any] | str, *edits: Edit, **how: Any) -> tuple[Run[Any], list[str]]:
        """A replay and the paths that it called: as many as its plan said."""
        plan = self.lab.plan_replay(run, edits=list(edits), **how).plan
        assert self.model.take() == [], "a plan calls nothing"
        fork: Run[Any] = self.lab.replay_sync(run, edits=list(edits), **how)
        calls = self.model.take()
        assert len(set(calls)) <= plan.calls_at_most
        assert fork.status != "ok" or plan.calls <= len(set(calls))
        return fork, calls

    def rows(self, query: str, *values: Any) -> list[tuple[Any, ...]]:
        """Straight from the file."""
        connection = sqlite3.connect(self.lab.store.path)
        try:
            return connection.execute(query, values).fetchall()
        finally:
            connection.close()

    def count(self) -> int:
        """How many runs are recorded."""
        found: int = self.rows("SELECT count(*) FROM runs")[0][0]
        return found

    def origins(self, run: Run[Any]) -> dict[str, tuple[str, str]]:
        """Where the reused outputs of a run were made."""
        query = "SELECT path, origin_run_id, origin_path FROM steps WHERE run_id = ? AND status = 'reused'"
        return {path: (run_id, origin) for path, run_id, origin in self.rows(query, run.id)}

    def everything_of(self, run: Run[Any]) -> dict[str, list[tuple[Any, ...]]]:
        """Every byte of a run: its rows in all tables, and the payloads that its rows name."""
        found = {"runs": self.rows("SELECT * FROM runs WHERE id = ?", run.id)}
        for table in ("run_tags", "steps", "step_inputs", "attempts"):
            found[table] = sorted(self.rows(f"SELECT * FROM {table} WHERE run_id = ?", run.id), key=repr)
        hashes = {cell for rows in found.values() for row in rows for cell in row if isinstance(cell, bytes)}
        found["payloads"] = [row for row in self.rows("SELECT * FROM payloads ORDER BY hash") if row[0] in hashes]
        return found


def statuses(run: Run[Any], *only: str) -> dict[str, str]:
    """What became of the steps, all or those of some states."""
    return {path: found.status for path, found in run.steps.items() if not only or found.status in only}
