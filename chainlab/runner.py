"""Who runs a chain that is called without a lab: the lab of this context, else the project's own."""

from __future__ import annotations

from collections.abc import Callable
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from chainlab.protocols import Runner

_runner: ContextVar[Runner | None] = ContextVar("chainlab_runner", default=None)
_default: list[Callable[[], Runner]] = []


def set_default_runner(factory: Callable[[], Runner]) -> None:
    """Say how the runner is found where no lab is open. Called once, by `chainlab/__init__.py`."""
    _default[:] = [factory]


def use_runner(runner: Runner | None) -> Any:
    """Make a runner the current one; gives the token for `reset_runner`."""
    return _runner.set(runner)


def reset_runner(token: Any) -> None:
    """Undo `use_runner`; quiet when the context is another one (a generator closed elsewhere)."""
    try:
        _runner.reset(token)
    except ValueError:
        _runner.set(None)


def current_runner() -> Runner:
    """The lab of this context, else the only open one, else the project's default."""
    runner = _runner.get()
    return runner if runner is not None else _default[0]()
