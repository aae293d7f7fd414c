"""A prompt step at work: render, send, judge the reply, try again. Knows no store and no wire."""

from __future__ import annotations

import asyncio
import random
from typing import Any

from chainlab.engine.limits import Limit
from chainlab.engine.render import Draft, Renderer, record_of, render, render_elsewhere
from chainlab.engine.reply import read
from chainlab.engine.state import State, missing_item
from chainlab.errors import BackendError, ChainlabError, ErrorInfo, SandboxError
from chainlab.events import AttemptFinished, AttemptReason, AttemptStarted, Binding, StepFinished, TokenDelta
from chainlab.frames import Frame, Slot
from chainlab.messages import Chunk, Request, Response
from chainlab.plan import PlanStep
from chainlab.protocols import ResolvedModel
from chainlab.spec import schema as types
from chainlab.spec.chain import PromptStep
from chainlab.spec.feedback import DEFAULT_FEEDBACK
from chainlab.spec.template import TemplateError, compiled
from chainlab.values.codec import Json, Value
from chainlab.values.ids import monotonic_us, now_us
from chainlab.values.types import InvalidValue

TRANSPORT_RETRIES = 3
_SHOWN = 200  # characters of a bad reply in an error; the trace has all of it


def begin_prompt(state: State, step: PlanStep, frame: Frame, slot: Slot) -> None:
    """Bind and render a prompt, report its start, and put it among the begun."""
    spec = step.spec
    assert isinstance(spec, PromptStep)
    started = monotonic_us()
    state.tally.total += 1
    model = state.models[step.path][0]
    try:
        bindings = state.bind(frame, spec.args)
    except LookupError as error:
        state.start(step, frame, (), model=model)
        state.fail(slot, started, _placed(spec, missing_item(error)))
        return
    state.start(step, frame, bindings, model=model)
    leaf = state.running[slot.path] = PromptLeaf(state, step, spec, slot, bindings, model, started)
    if state.renderer is not None:
        state.begun.append(leaf)  # it is rendered as the first thing of its work
        return
    try:
        leaf.take(render(spec, bindings))
    except TemplateError as error:
        state.fail(slot, started, _template_failure(spec, error))
        return
    if leaf.limit.take():
        leaf.open_attempt("first")
    state.begun.append(leaf)


class PromptLeaf:
    """One prompt step that has begun."""

    __slots__ = (
        "bindings", "draft", "limit", "model", "n", "open", "placed", "queue_us", "request", "sent", "slot", "spec",
        "started", "state", "step", "tokens_in", "tokens_out", "ttft_us",
    )  # fmt: skip

    def __init__(
        self,
        state: State,
        step: PlanStep,
        spec: PromptStep,
        slot: Slot,
        bindings: tuple[Binding, ...],
        model: ResolvedModel,
        started: int,
    ) -> None:
        self.state, self.step, self.spec, self.slot = state, step, spec, slot
        self.bindings, self.model, self.started = bindings, model, started
        self.limit: Limit = state.limits[model.backend.name]
        self.placed = self.open = False
        self.n = 0
        self.sent = started
        self.queue_us: int | None = None
        self.ttft_us: int | None = None
        self.tokens_in: int | None = None
        self.tokens_out: int | None = None
        self.draft: Draft
        self.request: Request

    def take(self, draft: Draft) -> None:
        """Take the messages to send."""
        self.draft = draft
        self.request = self._request()

    def _request(self) -> Request:
        spec, model = self.spec, self.model
        sampling = spec.sampling
        return Request.model_construct(
            step=self.slot.path,
            model=model.model,
            messages=self.draft.messages,
            output_schema=None if spec.output.get("type") == "string" and "enum" not in spec.output else spec.output,
            adapter=model.adapter,
            temperature=sampling.temperature,
            max_tokens=sampling.max_tokens if sampling.max_tokens is not None else model.max_tokens,
            stop=sampling.stop,
            seed=sampling.seed,
            top_p=sampling.top_p,
            logprobs=spec.logprobs,
        )

    def open_attempt(self, reason: AttemptReason) -> None:
        """Report that a try begins."""
        self.placed = self.open = True
        self.n += 1
        self.sent = monotonic_us()
        self.state.journal.emit(
            AttemptStarted(
                self.state.run_id,
                self.slot.path,
                self.n,
                reason,
                now_us(),
                record_of(self.request, self.draft),
                self.model.backend.name,
                self.model.model if self.model.adapter else None,
                self.model.adapter,
                self.model.model,
            )
        )

    async def work(self) -> None:
        """Send and judge until there is a value or no try is left."""
        try:
            if self.state.renderer is not None and not await self._rendered(self.state.renderer):
                return
            if not self.placed:
                if not self.limit.take():  # one that was rendered elsewhere has not asked yet
                    waited = monotonic_us()
                    await self.limit.place()
                    self.queue_us = monotonic_us() - waited
                self.open_attempt("first")
                await self.state.journal.durable()
            await self._tries()
        except asyncio.CancelledError:
            self.cancelled()
            raise
        finally:
            if self.placed:
                self.limit.give()

    async def _rendered(self, renderer: Renderer) -> bool:
        """Render elsewhere. False: it failed, and the step with it."""
        try:
            self.take(await render_elsewhere(renderer, self.spec, self.bindings))
        except TemplateError as error:
            self.state.fail(self.slot, self.started, _template_failure(self.spec, error))
            return False
        except ChainlabError as error:
            info = ErrorInfo(error.code, getattr(error, "message", str(error)), remedy=getattr(error, "remedy", ""))
            self.state.fail(self.slot, self.started, _placed(self.spec, info))
            return False
        return True

    async def _tries(self) -> None:
        validation_left = self.spec.policy.retries
        transport_left = getattr(self.model.backend, "transport_retries", TRANSPORT_RETRIES)
        failures = 0
        while True:
            self.sent = monotonic_us()
            response, error, wait = await self._send()
            if response is not None:
                self._count(response)
                value, error = self._judge(response)
                if error is None:
                    said = Value(response.text)
                    self._close("ok", response, None, said)
                    self.state.tally.ok += 1
                    output = said if value is response.text else Value(value)
                    self.state.succeed(self.slot, self.started, output, **self._totals())
                    return
                self._close("failed", response, error)
                if validation_left and error.code == "output-invalid":
                    validation_left -= 1
                    if await self._say_back(response, error):
                        self.open_attempt("validation")
                        await self.state.journal.durable()
                        continue
            else:
                assert error is not None
                self._close("failed", None, error)
                if error.retryable and transport_left:
                    transport_left -= 1
                    failures += 1
                    await asyncio.sleep(wait if wait is not None else random.uniform(0, min(8.0, 0.5 * 2**failures)))
                    self.open_attempt("transport")
                    await self.state.journal.durable()
                    continue
            self.state.fail(self.slot, self.started, error, **self._totals())
            return

    async def _send(self) -> tuple[Response | None, ErrorInfo | None, float | None]:
        """One call: a response, or an error and how long the backend asks to wait."""
        send = self.model.backend.send
        on_chunk = self._on_chunk if self.state.stream or self.model.backend.kind != "scripted" else None
        timeout = self.spec.policy.timeout
        try:
            if timeout is None:
                return await send(self.request, on_chunk), None, None
            async with asyncio.timeout(timeout):
                return await send(self.request, on_chunk), None, None
        except TimeoutError:
            info = ErrorInfo(
                "timeout",
                f"no reply within {timeout:g} s",
                remedy="raise the step's timeout, or use a faster model",
                retryable=True,
            )
            return None, _placed(self.spec, info), 0.0
        except BackendError as error:
            info = _placed(self.spec, error.info())
            body = error.body
            if body:
                info = _with_got(info, body[:_SHOWN])
            return None, info, getattr(error, "retry_after_s", None)
        except ChainlabError as error:
            info = ErrorInfo(error.code, getattr(error, "message", str(error)), remedy=getattr(error, "remedy", ""))
            return None, _placed(self.spec, info), None
        except Exception as error:  # a backend's own mistake must not take the run down without a record
            info = ErrorInfo(
                "backend-error", f"{type(error).__name__}: {error}", remedy="see the trace; report the backend"
            )
            return None, _placed(self.spec, info), None

    def _on_chunk(self, chunk: Chunk) -> None:
        if self.state.stream:
            self.state.journal.emit(TokenDelta(self.state.run_id, self.slot.path, self.n, chunk.text))

    def _judge(self, response: Response) -> tuple[Json, ErrorInfo | None]:
        schema = self.spec.output
        accept = self.state.accepts[self.step.path]
        try:
            return read(response.text, schema, accept), None
        except InvalidValue as invalid:
            cut = response.finish_reason == "length"
            return None, ErrorInfo(
                "output-truncated" if cut else "output-invalid",
                "the reply was cut at the token limit"
                if cut
                else f"the reply does not fit the type: {_short(invalid)}",
                expected=types.describe(schema),
                got=repr(response.text if len(response.text) <= _SHOWN else response.text[:_SHOWN] + "..."),
                remedy="raise max_tokens"
                if cut
                else "read the raw reply in the trace; edit the prompt, or raise retries",
                file=self.spec.source.file if self.spec.source else None,
                line=self.spec.source.line if self.spec.source else None,
            )

    async def _say_back(self, response: Response, error: ErrorInfo) -> bool:
        """Send the reply and what is wrong with it back to the model. False when the feedback template fails."""
        try:
            read(response.text, self.spec.output, self.state.accepts[self.step.path])
            problems: list[str] = [error.message]
        except InvalidValue as invalid:
            problems = [f"{where}: {what}" if where else what for where, what in invalid.problems]
        template = self.spec.feedback or DEFAULT_FEEDBACK
        values: dict[str, Json] = {"errors": problems, "reply": response.text}
        try:
            renderer = self.state.renderer
            said = compiled(template).render(values) if renderer is None else await renderer.render(template, values)
        except (TemplateError, SandboxError):
            return False
        self.draft = Draft(list(self.draft.messages), list(self.draft.records))
        self.draft.say("assistant", response.text)
        self.draft.say("user", said.text)
        self.request = self._request()
        return True

    def _count(self, response: Response) -> None:
        if self.ttft_us is None:
            self.ttft_us = response.ttft_us
        if response.tokens_in is not None:
            self.tokens_in = (self.tokens_in or 0) + response.tokens_in
            self.state.tally.tokens_in += response.tokens_in
        if response.tokens_out is not None:
            self.tokens_out = (self.tokens_out or 0) + response.tokens_out
            self.state.tally.tokens_out += response.tokens_out

    def _close(
        self, status: Any, response: Response | None, error: ErrorInfo | None, said: Value | None = None
    ) -> None:
        """Report the end of a try. `said`: the reply's text, encoded once for the reply and for the step's output."""
        self.open = False
        reply: Value | None = None
        if response is not None:
            body: dict[str, Json] = {"text": response.text}
            if response.raw is not None:
                body["raw"] = response.raw
            if response.logprobs is not None:
                body["logprobs"] = list(response.logprobs)
            reply = Value(body, b'{"text":%b}' % said.body if said is not None and len(body) == 1 else None)
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
            )
        )

    def _totals(self) -> dict[str, Any]:
        return {
            "attempts": self.n,
            "queue_us": self.queue_us,
            "ttft_us": self.ttft_us,
            "tokens_in": self.tokens_in,
            "tokens_out": self.tokens_out,
        }

    def cancelled(self) -> None:
        """Report that the step was cancelled, and its try if one is open."""
        state = self.state
        if state.running.get(self.slot.path) is not self:
            return
        if self.open:
            self._close("cancelled", None, None)
        took = monotonic_us() - self.started
        state.finish(StepFinished(state.run_id, self.slot.path, "cancelled", now_us(), took, **self._totals()))


def _short(invalid: InvalidValue) -> str:
    text = str(invalid)
    return text if len(text) <= _SHOWN else text[:_SHOWN] + "..."


def _placed(spec: PromptStep, info: ErrorInfo) -> ErrorInfo:
    """The error with the place of the prompt's declaration."""
    from dataclasses import replace

    return replace(info, file=spec.source.file, line=spec.source.line) if spec.source and info.file is None else info


def _with_got(info: ErrorInfo, got: str) -> ErrorInfo:
    from dataclasses import replace

    return replace(info, got=got)


def _template_failure(spec: PromptStep, error: TemplateError) -> ErrorInfo:
    problem = error.problem
    return _placed(
        spec,
        ErrorInfo(
            problem.code,
            f"{problem.message} (line {problem.line} of the template)",
            expected=problem.expected,
            got=problem.got,
            remedy=problem.remedy or "look at the inputs in the trace; guard with {% if %} or | default(...)",
        ),
    )
