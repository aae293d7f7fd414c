"""How the runs of a lab reach its backends: models made ready once, one gate to each backend for all runs, budgets."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from weakref import WeakKeyDictionary

from chainlab.engine.gate import Gate
from chainlab.engine.state import chain_budget
from chainlab.errors import ConfigError
from chainlab.events import BackendProgress
from chainlab.lab.streams import Listener
from chainlab.messages import Progress
from chainlab.protocols import ResolvedModel
from chainlab.spec.budget import Budget
from chainlab.spec.chain import ChainSpec, SubChain, walk

Choices = Sequence[ResolvedModel]
"""The models of one step, first choice first."""


class Access:
    """What is known of the backends of one lab."""

    def __init__(self) -> None:
        self._ready: set[tuple[str, str, str | None]] = set()
        # A gate belongs to an event loop: those who wait at it are its tasks.
        self._gates: WeakKeyDictionary[asyncio.AbstractEventLoop, dict[str, Gate]] = WeakKeyDictionary()

    async def make_ready(self, models: Iterable[Choices], run_id: str, listener: Listener | None) -> None:
        """Let backends load what a run needs, telling the listener how far they are.

        A step can begin when one of its models is ready; of one that is not, it will turn to the next. Raises
        ConfigError when none is.
        """
        for choices in models:
            refused: ConfigError | None = None
            ready = False
            for model in choices:
                try:
                    await self._prepare(model, run_id, listener)
                    ready = True
                except ConfigError as error:
                    refused = refused or error
            if refused is not None and not ready:
                raise refused

    async def _prepare(self, model: ResolvedModel, run_id: str, listener: Listener | None) -> None:
        key = model.backend.name, model.model, model.adapter
        if key in self._ready:
            return
        name = model.backend.name

        def report(progress: Progress) -> None:
            if listener is not None:
                listener.put(BackendProgress(run_id, name, progress.what, progress.done, progress.total))

        await model.backend.prepare(model, report)
        self._ready.add(key)

    def gates(self, models: Iterable[Choices]) -> Mapping[str, Gate]:
        """The gates of this event loop, by backend."""
        gates = self._gates.setdefault(asyncio.get_running_loop(), {})
        for choices in models:
            for model in choices:
                if model.backend.name not in gates:
                    gates[model.backend.name] = Gate(model.backend.concurrency, model.limits)
        return gates


def check_prices(
    spec: ChainSpec, models: Mapping[str, Choices], budget: Budget | None, budgets: Mapping[str, Budget]
) -> None:
    """Refuse a budget of money where a price is not known: it would never be spent. Raises ConfigError."""
    limited = {"": budget is not None and budget.max_cost is not None or _costs(spec, budgets)}
    for path, step in walk(spec.steps):
        if isinstance(step, SubChain):
            limited[f"{path}/"] = _costs(step.chain, budgets)
    for path, choices in models.items():
        if not any(on and path.startswith(prefix) for prefix, on in limited.items()):
            continue
        for model in choices:
            if model.cost is None:
                name = f"{model.backend.name}:{model.model}"
                raise ConfigError(
                    f"step {path!r}: max_cost is set, and the price of {name} is not known",
                    code="unknown-price",
                    remedy=f'add [prices."{name}"] to chainlab.toml: input and output for a million tokens; '
                    "or limit max_tokens",
                )


def _costs(chain: ChainSpec, budgets: Mapping[str, Budget]) -> bool:
    budget = chain_budget(chain, budgets)
    return budget is not None and budget.max_cost is not None
