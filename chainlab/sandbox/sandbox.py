"""The sandbox: templates rendered and checked by child processes, within limits. Knows no server and no chain.

For templates that come over HTTP. Text and segments are byte for byte those of `spec.template`; what differs is that a
template can only hurt a process that holds nothing: no environment, no file, no connection, no other request's values.
Measured on an idle machine: 0.1 s to start a child (once, and after one had to be killed), 0.4 ms for a request.
"""

from __future__ import annotations

import asyncio
import threading
import weakref
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import NoReturn, TypeVar

from chainlab.sandbox.limits import LIMITS, Limits, TemplateLimit
from chainlab.sandbox.process import Child, closed
from chainlab.sandbox.wire import Garbage, TooLarge, encode, to_problems, to_rendered
from chainlab.spec.schema import Schema
from chainlab.spec.template import Rendered, TemplateError, TemplateProblem
from chainlab.values.codec import Json

T = TypeVar("T")


class Sandbox:
    """Renders templates in `children` processes, started on first use. May be used from several event loops.

    More requests than children wait in the order they came, so one bad template holds up others for its limit at most.
    A sandbox that is closed, forgotten, or whose process is killed leaves no child behind.
    """

    def __init__(self, limits: Limits | None = None, *, children: int = 2) -> None:
        self.limits = limits if limits is not None else Limits()
        self._children = tuple(Child(self.limits) for _ in range(children))
        self._idle = list(self._children)
        self._threads = ThreadPoolExecutor(children, thread_name_prefix="chainlab-sandbox")
        self._end = weakref.finalize(self, _end, self._children)

    @property
    def pids(self) -> tuple[int, ...]:
        """The process ids of the children that there are."""
        return tuple(child.pid for child in self._children if child.pid is not None)

    @property
    def missing(self) -> tuple[str, ...]:
        """Which limits this platform does not have (`memory` on macOS, more on Windows). () before the first use."""
        return tuple(sorted({name for child in self._children for name in child.missing}))

    async def render(self, template: str, values: Mapping[str, Json]) -> Rendered:
        """What `Template.render` gives.

        Raises TemplateError as that does; TemplateLimit (a TemplateError, code `template-limit`) when it would use too
        much; SandboxError when no child can be started, one ends unexpectedly, or the sandbox is closed.
        """
        return await self._ask(["render", template, dict(values)], partial(self._rendered, tuple(values)))

    async def check(self, template: str, params: Mapping[str, Schema]) -> tuple[TemplateProblem, ...]:
        """What `check_template` finds; one problem, `template-limit`, when to find it would take too much.

        Raises SandboxError.
        """
        try:
            return await self._ask(["check", template, dict(params)], self._checked)
        except TemplateLimit as error:
            return (error.problem,)

    async def aclose(self) -> None:
        """`close`, without holding up the event loop."""
        await asyncio.to_thread(self.close)

    def close(self) -> None:
        """End the children; requests that run or wait raise SandboxError. May be called again."""
        for child in self._children:
            child.close()
        self._threads.shutdown()
        self._end()

    async def _ask(self, request: list[Json], read: Callable[[str, Json], T]) -> T:
        given_up = threading.Event()
        try:
            work = self._threads.submit(self._work, given_up, request, read)
        except RuntimeError:
            raise closed() from None
        try:
            return await asyncio.wrap_future(work)
        except asyncio.CancelledError:
            given_up.set()
            for child in self._children:
                child.stop(given_up, "given up")
            raise

    def _work(self, given_up: threading.Event, request: list[Json], read: Callable[[str, Json], T]) -> T:
        try:
            body = encode(request, self.limits.input)
        except TooLarge:
            raise TemplateLimit("input", self.limits) from None
        child = self._idle.pop()  # there are as many as threads; the last one used is warm
        try:
            return child.ask(given_up, body, read)
        finally:
            self._idle.append(child)

    def _rendered(self, names: Sequence[str], tag: str, content: Json) -> Rendered:
        return to_rendered(content, names) if tag == "rendered" else _refuse(tag, content, self.limits)

    def _checked(self, tag: str, content: Json) -> tuple[TemplateProblem, ...]:
        return to_problems(content) if tag == "checked" else _refuse(tag, content, self.limits)


def _refuse(tag: str, content: Json, limits: Limits) -> NoReturn:
    match tag, content:
        case "error", [problem]:
            raise TemplateError(to_problems([problem])[0])
        case "limit", [str(limit), int(line)] if limit in LIMITS:
            raise TemplateLimit(limit, limits, line)
    raise Garbage("it does not belong to the question")


def _end(children: Sequence[Child]) -> None:
    for child in children:
        child.end()
