"""The tries of a prompt step: send, judge, and whether to try again, ask for more, or turn to another model.

The one place where anything is tried again; how often is `policy.py`'s.
"""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING, TypeAlias

from chainlab.engine.failure import of_error, placed
from chainlab.engine.policy import DRAWS_ON_BUDGET, NOT_ELSEWHERE, backoff, retries
from chainlab.engine.reply import read
from chainlab.errors import BackendError, ChainlabError, ErrorInfo, SandboxError
from chainlab.events import AttemptReason
from chainlab.messages import Response
from chainlab.spec import schema as types
from chainlab.spec.feedback import DEFAULT_FEEDBACK
from chainlab.spec.reply import reply_schema
from chainlab.spec.template import TemplateError, compiled
from chainlab.values.codec import Json, Value
from chainlab.values.ids import monotonic_us
from chainlab.values.types import InvalidValue

if TYPE_CHECKING:
    from chainlab.engine.prompt_step import PromptLeaf

TRANSPORT_RETRIES = 3
SHOWN = 200  # characters of a bad reply in an error; the trace has all of it

_Next: TypeAlias = AttemptReason | ErrorInfo
"""Why there is another try, or why there is none."""


class Tries:
    """The tries of one step."""

    def __init__(self, leaf: PromptLeaf) -> None:
        self.leaf = leaf
        self.validation_left = leaf.spec.policy.retries
        self.failures: dict[str, int] = {}  # of the model that is asked now, by code
        self.later = leaf.models[1:]
        self.good: list[Json] = []
        self.said: Value | None = None  # the only reply, where it is the output as it stands

    async def run(self, key: bytes | None) -> None:
        """Try until there is an output, or no try is left. `key`: under which the output is kept."""
        leaf = self.leaf
        reason: AttemptReason = "first"
        while True:
            if not leaf.open:
                refused = await self._open(reason)
                if refused is not None:
                    leaf.fail(refused)
                    return
            leaf.sent = monotonic_us()
            response, failed = await self._send()
            if response is not None:
                leaf.count(response)
                why: _Next = await self._after_reply(response)
                if len(self.good) == leaf.wanted:
                    leaf.succeed(self._output(), key)
                    return
            else:
                assert failed is not None
                why = await self._after_failure(*failed)
            if isinstance(why, ErrorInfo):
                why = self._elsewhere(why)
            if isinstance(why, ErrorInfo):
                leaf.fail(why)
                return
            reason = why

    async def _open(self, why: AttemptReason) -> ErrorInfo | None:
        """Begin a try, as soon as the backend has a place. What forbids it."""
        leaf = self.leaf
        refused = leaf.may_call()
        if refused is None:
            await leaf.enter()
            refused = leaf.may_call()  # others have spent while it waited
        if refused is None:
            leaf.open_attempt(why)
            await leaf.state.journal.durable()
            return None
        another = self._elsewhere(refused)
        return another if isinstance(another, ErrorInfo) else await self._open(another)

    async def _send(self) -> tuple[Response | None, tuple[ErrorInfo, BackendError | None] | None]:
        """One call: a response, or an error, as it is recorded and as the backend gave it."""
        leaf = self.leaf
        send = leaf.model.backend.send
        # Backends stream where somebody listens, and only a stream shows whether a model still writes.
        on_chunk = leaf.on_chunk if leaf.state.stream or leaf.model.backend.kind != "scripted" else None
        timeout = leaf.spec.policy.timeout
        try:
            if timeout is None:
                return await send(leaf.request, on_chunk), None
            async with asyncio.timeout(timeout):
                return await send(leaf.request, on_chunk), None
        except TimeoutError:
            info = ErrorInfo(
                "timeout",
                f"no reply within {timeout:g} s" if timeout else "no reply in time",
                remedy="raise the step's timeout, or use a faster model",
                retryable=True,
            )
            return None, (info, None)
        except BackendError as error:
            info = error.info()
            if info.got is None and error.body:
                info = replace(info, got=error.body[:SHOWN])
            return None, (info, error)
        except ChainlabError as error:
            return None, (of_error(error), None)
        except Exception as error:  # a backend's own mistake must not take the run down without a record
            info = ErrorInfo(
                "backend-error", f"{type(error).__name__}: {error}", remedy="see the trace; report the backend"
            )
            return None, (info, None)

    # -- after a reply -------------------------------------------------------------------------------------------------

    async def _after_reply(self, response: Response) -> _Next:
        """Judge a reply and report its end: what it gives is put with the good ones."""
        leaf = self.leaf
        error: ErrorInfo | None = None
        said: Value | None = None
        if response.finish_reason == "content_filter":
            error = ErrorInfo(
                "filtered",
                "the provider withheld the reply: its content filter held it back",
                remedy="reword the prompt, or name a second model: model=[..., ...]",
            )
        else:
            for text in (response.text, *response.more)[: leaf.wanted - len(self.good)]:
                value, wrong = self._judge(text, response.finish_reason)
                if wrong is None:
                    self.good.append(value)
                error = error or wrong
            if error is None and leaf.spec.n is None:
                said = Value(response.text)  # encoded once, for the reply and for the output
                self.said = said if self.good[0] is response.text else None
        error = error and placed(leaf.spec, error)
        leaf.close("ok" if error is None else "failed", response, error, said)
        if error is None:
            if len(self.good) < leaf.wanted:
                leaf.ask(leaf.wanted - len(self.good), len(self.good))
            return "sample"
        if error.code != "output-invalid" or not self.validation_left:
            return error
        self.validation_left -= 1
        if leaf.spec.n is not None:
            leaf.ask(leaf.wanted - len(self.good), len(self.good))
            return "validation"
        return "validation" if await self._say_back(response, error) else error

    def _judge(self, text: str, finish_reason: str | None) -> tuple[Json, ErrorInfo | None]:
        leaf = self.leaf
        schema = reply_schema(leaf.spec)
        try:
            return read(text, schema, leaf.state.accept(leaf.step)), None
        except InvalidValue as invalid:
            cut = finish_reason == "length"
            return None, ErrorInfo(
                "truncated" if cut else "output-invalid",
                "the reply was cut at the token limit"
                if cut
                else f"the reply does not fit the type: {_short(invalid)}",
                expected=types.describe(schema),
                got=repr(text if len(text) <= SHOWN else text[:SHOWN] + "..."),
                remedy="raise max_tokens"
                if cut
                else "read the raw reply in the trace; edit the prompt, or raise retries",
            )

    def _output(self) -> Value:
        if self.leaf.spec.n is not None:
            return Value(self.good)
        return self.said if self.said is not None else Value(self.good[0])

    async def _say_back(self, response: Response, error: ErrorInfo) -> bool:
        """Send the reply and what is wrong with it back to the model. False when the feedback template fails."""
        leaf = self.leaf
        try:
            read(response.text, leaf.spec.output, leaf.state.accept(leaf.step))
            problems: list[str] = [error.message]
        except InvalidValue as invalid:
            problems = [f"{where}: {what}" if where else what for where, what in invalid.problems]
        template = leaf.spec.feedback or DEFAULT_FEEDBACK
        values: dict[str, Json] = {"errors": problems, "reply": response.text}
        try:
            renderer = leaf.state.renderer
            said = compiled(template).render(values) if renderer is None else await renderer.render(template, values)
        except (TemplateError, SandboxError):
            return False
        leaf.take(leaf.draft.and_then("assistant", response.text).and_then("user", said.text))
        return True

    # -- after a failure -----------------------------------------------------------------------------------------------

    async def _after_failure(self, error: ErrorInfo, failed: BackendError | None) -> _Next:
        """Report that a call failed, and wait for the next try if there is to be one."""
        leaf = self.leaf
        code = error.code
        error = placed(leaf.spec, error)
        leaf.close("failed", None, error, failed=failed)
        if code == "auth-failed":
            leaf.state.trip(leaf.model.backend.name, leaf.state.without_secrets(error))
        before = self.failures.get(code, 0)
        if not error.retryable or before >= retries(code, self._own_retries()):
            return error
        if code in DRAWS_ON_BUDGET and not leaf.gate.may_retry():
            return error
        self.failures[code] = before + 1
        asked = failed.retry_after_s if failed is not None else None
        wait = backoff(code, before, asked)
        if leaf.state.ends_before(wait):
            return error  # it would wait for nothing: the run's deadline comes first
        if asked is not None:
            leaf.gate.pause(wait)  # for everybody
        elif wait:
            await asyncio.sleep(wait)
        return "transport"

    def _own_retries(self) -> int:
        return int(getattr(self.leaf.model.backend, "transport_retries", TRANSPORT_RETRIES))

    def _elsewhere(self, error: ErrorInfo) -> _Next:
        """Turn to the next model, if another one may help."""
        if error.code in NOT_ELSEWHERE or not self.later:
            return error
        leaf = self.leaf
        leaf.turn_to(self.later[0])
        self.later = self.later[1:]
        leaf.ask(leaf.wanted - len(self.good), len(self.good))
        self.failures.clear()
        return "fallback"


def _short(invalid: InvalidValue) -> str:
    text = str(invalid)
    return text if len(text) <= SHOWN else text[:SHOWN] + "..."
