"""A prompt step that has begun: what it asks, of whom, and what came of it. `tries.py` works it; knows no wire."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

from chainlab.engine.failure import missing_item, of_error, placed, template_failure
from chainlab.engine.gate import Gate
from chainlab.engine.render import Draft, Renderer, record_of, render, render_elsewhere
from chainlab.engine.state import State
from chainlab.engine.tries import Tries
from chainlab.errors import BackendError, ChainlabError, ErrorInfo
from chainlab.events import AttemptFinished, AttemptReason, AttemptStarted, Binding, StepFinished, TokenDelta
from chainlab.frames import Frame, Slot
from chainlab.messages import Chunk, Request, Response
from chainlab.plan import PlanStep
from chainlab.protocols import ResolvedModel, Usage
from chainlab.spec.chain import PromptStep
from chainlab.spec.reply import is_free_text, reply_schema
from chainlab.spec.template import TemplateError
from chainlab.values.codec import Json, Value, encode, hash_parts
from chainlab.values.ids import monotonic_us, now_us

_TOKEN_BYTES = 4  # of a prompt, about; for limits by tokens only


def begin_prompt(state: State, step: PlanStep, frame: Frame, slot: Slot) -> None:
    """Bind and render a prompt, report its start, and put it among the begun."""
    spec = step.spec
    assert isinstance(spec, PromptStep)
    started = monotonic_us()
    state.tally.total += 1
    models = state.models[step.path]
    try:
        bindings = state.bind(frame, spec.args)
    except LookupError as error:
        state.start(step, frame, (), model=models[0])
        state.fail(slot, started, placed(spec, missing_item(error)))
        return
    state.start(step, frame, bindings, model=models[0])
    leaf = state.running[slot.path] = PromptLeaf(state, step, spec, slot, frame.prefix, bindings, models, started)
    if state.renderer is not None:
        state.begun.append(leaf)  # it is rendered as the first thing of its work
        return
    try:
        leaf.take(render(spec, bindings))
    except TemplateError as error:
        state.fail(slot, started, template_failure(spec, error))
        return
    if not leaf.cached and leaf.may_call() is None and leaf.gate.take(leaf.expected):
        leaf.open_attempt("first")  # it is reported together with the step's start
    state.begun.append(leaf)


class PromptLeaf:
    """One prompt step that has begun. `model` is the one of its models that is asked now."""

    __slots__ = (
        "bindings", "cost", "cost_known", "draft", "expected", "gate", "made_by", "model", "models", "n", "open",
        "placed", "prefix", "queue_us", "request", "sent", "slot", "spec", "started", "state", "step", "tokens_in",
        "tokens_out", "ttft_us", "wanted",
    )  # fmt: skip

    def __init__(
        self,
        state: State,
        step: PlanStep,
        spec: PromptStep,
        slot: Slot,
        prefix: str,
        bindings: tuple[Binding, ...],
        models: Sequence[ResolvedModel],
        started: int,
    ) -> None:
        self.state, self.step, self.spec, self.slot, self.prefix = state, step, spec, slot, prefix
        self.bindings, self.models, self.started = bindings, models, started
        self.model = models[0]
        self.gate: Gate = state.gates[self.model.backend.name]
        self.placed = self.open = False
        self.n = 0
        self.wanted = spec.n or 1
        self.sent = started
        self.expected = 0
        self.queue_us: int | None = None
        self.ttft_us: int | None = None
        self.tokens_in: int | None = None
        self.tokens_out: int | None = None
        self.cost: int | None = None
        self.cost_known = True
        self.made_by: tuple[str, str, str | None] | None = None
        self.draft: Draft
        self.request: Request

    # -- what is asked -------------------------------------------------------------------------------------------------

    def take(self, draft: Draft) -> None:
        """Take the messages to send."""
        self.draft = draft
        self.ask(self.wanted)

    def ask(self, missing: int, done: int = 0) -> None:
        """Make the request for so many replies; `done`: those that are there, so that each has a seed of its own."""
        spec, model = self.spec, self.model
        sampling = spec.sampling
        schema = reply_schema(spec)
        most = getattr(model.backend, "most_samples", 1)
        seed = sampling.seed
        self.request = Request.made(
            {
                "step": self.slot.path,
                "model": model.model,
                "messages": self.draft.messages,
                "output_schema": None if is_free_text(schema) else schema,
                "adapter": model.adapter,
                "temperature": sampling.temperature,
                "max_tokens": sampling.max_tokens if sampling.max_tokens is not None else model.max_tokens,
                "stop": sampling.stop,
                "seed": seed + done if seed is not None and done else seed,
                "top_p": sampling.top_p,
                "logprobs": spec.logprobs,
                "n": missing if most is None else min(missing, most),
            }
        )
        if self.gate.timed:
            size = sum(len(str(message["content"])) for message in self.draft.messages)
            self.expected = size // _TOKEN_BYTES + (self.request.max_tokens or 0) * self.request.n

    async def rendered(self, renderer: Renderer) -> bool:
        """Render elsewhere. False: it failed, and the step with it."""
        try:
            self.take(await render_elsewhere(renderer, self.spec, self.bindings))
        except TemplateError as error:
            self.state.fail(self.slot, self.started, template_failure(self.spec, error))
            return False
        except ChainlabError as error:
            self.state.fail(self.slot, self.started, placed(self.spec, of_error(error)))
            return False
        return True

    # -- of whom -------------------------------------------------------------------------------------------------------

    def may_call(self) -> ErrorInfo | None:
        """Why no call may be made: a budget is spent, or the backend has refused this run's key."""
        state = self.state
        if state.tripped:
            refused = state.tripped.get(self.model.backend.name)
            if refused is not None:
                return refused
        meter = state.meters.get(self.prefix) if state.meters else None
        return None if meter is None else meter.spent()

    def turn_to(self, model: ResolvedModel) -> None:
        """Go on with another model."""
        self.leave()
        self.model = model
        self.gate = self.state.gates[model.backend.name]
        self.made_by = (model.written or model.model, model.backend.name, model.adapter)

    async def enter(self) -> None:
        """Wait for a place at the backend."""
        if self.placed:
            await self.gate.again(self.expected)
        elif not self.gate.take(self.expected):
            waited = monotonic_us()
            await self.gate.place(self.expected)
            self.queue_us = (self.queue_us or 0) + monotonic_us() - waited
        self.placed = True

    def leave(self) -> None:
        """Give the place back."""
        if self.placed:
            self.placed = False
            self.gate.give()

    def open_attempt(self, reason: AttemptReason) -> None:
        """Report that a try begins."""
        self.placed = self.open = True
        self.n += 1
        self.sent = monotonic_us()
        state, model = self.state, self.model
        if state.meters:
            meter = state.meters.get(self.prefix)
            if meter is not None:
                meter.call()
        state.journal.emit(
            AttemptStarted(
                state.run_id,
                self.slot.path,
                self.n,
                reason,
                now_us(),
                record_of(self.request, self.draft),
                model.backend.name,
                model.model if model.adapter else None,
                model.adapter,
                model.model,
                state.adapter_hash(model),
            )
        )

    # -- what came of it -----------------------------------------------------------------------------------------------

    async def work(self) -> None:
        """Send and judge until there is a value or no try is left."""
        try:
            if self.state.renderer is not None and not await self.rendered(self.state.renderer):
                return
            key = self.key() if self.cached else None
            if key is None or not await self._kept(key):
                await Tries(self).run(key)
        except asyncio.CancelledError:
            self.cancelled()
            raise
        finally:
            self.leave()

    @property
    def cached(self) -> bool:
        """Whether an output that was kept for the same request may stand for this one."""
        state = self.state
        if not self.spec.policy.cache or state.results is None:
            return False
        return state.forced is None or not state.forced(self.slot.path)

    def key(self) -> bytes:
        """The name of everything that is sent, and of who answers."""
        request, model = self.request, self.model
        identity = model.backend.identity(model.model, model.adapter)
        sent = request.model_dump(mode="json", exclude={"step"})
        return hash_parts(b"chainlab-cache-1", identity.encode(), encode([sent, self.wanted]))

    async def _kept(self, key: bytes) -> bool:
        """Hand on the output that was kept under this key, if there is one."""
        state = self.state
        assert state.results is not None
        found = await state.results.find(key)
        if found is None:
            return False
        took = monotonic_us() - self.started
        state.finish(
            StepFinished(
                state.run_id, self.slot.path, "cached", now_us(), took,
                output=found.output, origin_run_id=found.run_id, origin_path=found.path,
            )
        )  # fmt: skip
        state.tally.reused += 1
        self.slot.resolve(found.output)
        return True

    def on_chunk(self, chunk: Chunk) -> None:
        """The model wrote something."""
        if self.state.stream:
            self.state.journal.emit(TokenDelta(self.state.run_id, self.slot.path, self.n, chunk.text))

    def count(self, response: Response) -> None:
        """Add up what a reply took."""
        state, tally = self.state, self.state.tally
        if self.ttft_us is None:
            self.ttft_us = response.ttft_us
        if response.tokens_in is not None:
            self.tokens_in = (self.tokens_in or 0) + response.tokens_in
            tally.tokens_in += response.tokens_in
        if response.tokens_out is not None:
            self.tokens_out = (self.tokens_out or 0) + response.tokens_out
            tally.tokens_out += response.tokens_out
        tokens = (response.tokens_in or 0) + (response.tokens_out or 0)
        self.gate.used(self.expected, tokens)
        cost = self.cost_of(response)
        self.cost_known = self.cost_known and cost is not None
        self.cost = (self.cost or 0) + cost if cost is not None and self.cost_known else None
        tally.pay(cost)
        if state.meters:
            meter = state.meters.get(self.prefix)
            if meter is not None:
                meter.used(tokens, cost or 0)

    def cost_of(self, response: Response) -> int | None:
        """The price of a reply in billionths; None: not known."""
        price = self.model.cost
        if price is None or response.tokens_in is None or response.tokens_out is None:
            return None
        return price(Usage(response.tokens_in, response.tokens_out, response.tokens_cached or 0))

    def close(
        self,
        status: Any,
        response: Response | None,
        error: ErrorInfo | None,
        said: Value | None = None,
        failed: BackendError | None = None,
    ) -> None:
        """Report the end of a try. `said`: the reply's text, encoded once for the reply and for the step's output.

        `failed`: the backend's error, whose raw reply is kept as far as it came.
        """
        self.open = False
        reply: Value | None = None
        if response is not None:
            more: dict[str, Json] = {}
            if response.more:
                more["more"] = list(response.more)
            if response.raw is not None:
                more["raw"] = response.raw
            if response.logprobs is not None:
                more["logprobs"] = list(response.logprobs)
            # Text alone is stored as that text: an output of text is then the same payload.
            reply = Value({"text": response.text, **more}) if more else said or Value(response.text)
        elif failed is not None and failed.body:
            reply = Value({"body": failed.body})
        gauges = response.gauges if response is not None else failed.gauges if failed is not None else None
        self.state.journal.emit(
            AttemptFinished(
                self.state.run_id,
                self.slot.path,
                self.n,
                status,
                monotonic_us() - self.sent,
                reply,
                error,
                response.http_status if response else (error.http_status if error else None),
                response.finish_reason if response else None,
                response.served_model if response else None,
                response.ttft_us if response else None,
                response.tokens_in if response else None,
                response.tokens_out if response else None,
                self.cost_of(response) if response else None,
                response.tokens_cached if response else None,
                None if gauges is None else dict(gauges),
            )
        )

    def succeed(self, output: Value, key: bytes | None) -> None:
        """Hand the step's output on."""
        state = self.state
        state.tally.ok += 1
        took = monotonic_us() - self.started
        state.finish(
            StepFinished(
                state.run_id, self.slot.path, "ok", now_us(), took, output, None, self.n, self.queue_us, self.ttft_us,
                self.tokens_in, self.tokens_out, self.cost, cache_key=key, made_by=self.made_by,
            )
        )  # fmt: skip
        self.slot.resolve(output)

    def fail(self, error: ErrorInfo) -> None:
        """Report that the step failed."""
        self.state.fail(self.slot, self.started, placed(self.spec, error), **self._totals())

    def _totals(self) -> dict[str, Any]:
        return {
            "attempts": self.n,
            "queue_us": self.queue_us,
            "ttft_us": self.ttft_us,
            "tokens_in": self.tokens_in,
            "tokens_out": self.tokens_out,
            "cost_nano": self.cost,
            "made_by": self.made_by,
        }

    def cancelled(self) -> None:
        """Report that the step was cancelled, and its try if one is open."""
        state = self.state
        if state.running.get(self.slot.path) is not self:
            return
        if self.open:
            self.close("cancelled", None, None)
        took = monotonic_us() - self.started
        state.finish(StepFinished(state.run_id, self.slot.path, "cancelled", now_us(), took, **self._totals()))
