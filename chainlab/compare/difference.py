"""One step in both runs in full: how its templates, prompt, inputs, settings and output became others. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from chainlab.compare.definition import SettingDiff, settings, templates
from chainlab.compare.facts import StepFacts
from chainlab.compare.sequence import Effort, common
from chainlab.compare.text import TextDiff, diff_texts
from chainlab.compare.values import ValueDiff, diff_values, only
from chainlab.spec.chain import StepSpec
from chainlab.trace import Datum, Failure, InputRow, StepTrace
from chainlab.values.codec import decode


@dataclass(frozen=True, slots=True)
class MessageDiff:
    """One message of a prompt, as a template or as it was sent. `in_a`, `in_b`: which run has it."""

    role: str
    in_a: bool
    in_b: bool
    text: TextDiff


@dataclass(frozen=True, slots=True)
class InputDiff:
    """One parameter whose value differs. `from_a`, `from_b`: the step or `$input` it came from (None: a constant)."""

    name: str
    from_a: str | None
    from_b: str | None
    value: ValueDiff


@dataclass(frozen=True, slots=True)
class ErrorDiff:
    """What went wrong in either run; None: nothing."""

    before: Failure | None
    after: Failure | None


@dataclass(frozen=True, slots=True)
class StepDiff:
    """What differs of one step; empty or None: nothing, or it was not recorded.

    `templates` and `prompt` hold all messages where one differs; `prompt` is the first attempt's. `reply` is what the
    model wrote last, where a run has no output to compare. `path_a`, `path_b`: its path (None: not in that run).
    """

    path_a: str | None
    path_b: str | None
    templates: tuple[MessageDiff, ...] = ()
    settings: tuple[SettingDiff, ...] = ()
    inputs: tuple[InputDiff, ...] = ()
    prompt: tuple[MessageDiff, ...] = ()
    output: ValueDiff | None = None
    reply: TextDiff | None = None
    error: ErrorDiff | None = None


@dataclass(frozen=True, slots=True)
class Side:
    """A step of one run with its values. None: the run has no such step; its values were not loaded."""

    facts: StepFacts | None
    trace: StepTrace | None = None

    @property
    def path(self) -> str | None:
        """Its path in the run."""
        return None if self.facts is None else self.facts.row.path

    @property
    def error(self) -> Failure | None:
        """What went wrong."""
        return None if self.facts is None else self.facts.row.error

    @property
    def definition(self) -> StepSpec | None:
        """Its definition."""
        return None if self.facts is None else self.facts.definition

    @property
    def inputs(self) -> tuple[InputRow, ...]:
        """Its parameters."""
        return () if self.trace is None else self.trace.inputs

    @property
    def output(self) -> Datum | None:
        """What it gave."""
        return None if self.trace is None else self.trace.output

    @property
    def sent(self) -> tuple[tuple[str, str], ...]:
        """The messages of its first attempt as (role, text)."""
        if self.trace is None or not self.trace.attempts:
            return ()
        messages = self.trace.attempts[0].messages
        return tuple((message.role, "".join(part.text for part in message.segments)) for message in messages)

    @property
    def reply(self) -> str:
        """What the model wrote last."""
        if self.trace is None or not self.trace.attempts:
            return ""
        return self.trace.attempts[-1].reply_text or ""


def diff_step(a: Side, b: Side, models: Sequence[SettingDiff] = ()) -> StepDiff:
    """Compare a step with its counterpart, in bounded time. `models`: what differs in who answered."""
    effort = Effort()
    return StepDiff(
        path_a=a.path,
        path_b=b.path,
        templates=diff_messages(templates(a.definition), templates(b.definition), effort),
        settings=(*models, *settings(a.definition, b.definition)),
        inputs=diff_inputs(a.inputs, b.inputs, effort),
        prompt=diff_messages(a.sent, b.sent, effort),
        output=diff_data(a.output, b.output, effort),
        reply=_reply(a, b, effort),
        error=None if same_error(a.error, b.error) else ErrorDiff(a.error, b.error),
    )


def diff_messages(
    before: Sequence[tuple[str, str]], after: Sequence[tuple[str, str]], effort: Effort
) -> tuple[MessageDiff, ...]:
    """Messages (role, text) side by side, aligned by role; empty when all are equal."""
    if tuple(before) == tuple(after):
        return ()
    runs, _ = common([role for role, _ in before], [role for role, _ in after], effort)
    found: list[MessageDiff] = []
    x = y = 0
    for i, j, length in [*runs, (len(before), len(after), 0)]:
        found += [MessageDiff(role, True, False, diff_texts(text, "", effort)) for role, text in before[x:i]]
        found += [MessageDiff(role, False, True, diff_texts("", text, effort)) for role, text in after[y:j]]
        for k in range(length):
            role, text = before[i + k]
            found.append(MessageDiff(role, True, True, diff_texts(text, after[j + k][1], effort)))
        x, y = i + length, j + length
    return tuple(found)


def diff_inputs(before: Sequence[InputRow], after: Sequence[InputRow], effort: Effort) -> tuple[InputDiff, ...]:
    """The parameters whose values differ."""
    old, new = _by_name(before), _by_name(after)
    found = []
    for name in dict.fromkeys((*old, *new)):
        a, b = old.get(name), new.get(name)
        value = diff_data(None if a is None else a.value, None if b is None else b.value, effort)
        if value is not None:
            found.append(InputDiff(name, None if a is None else a.from_path, None if b is None else b.from_path, value))
    return tuple(found)


def diff_data(a: Datum | None, b: Datum | None, effort: Effort) -> ValueDiff | None:
    """How a stored value became another; None: they are equal, or there is none."""
    if a == b or (a is not None and b is not None and a.hash is not None and a.hash == b.hash):
        return None
    if (a is not None and a.text is None) or (b is not None and b.text is None):
        return ValueDiff("unread")
    if a is None or a.text is None:
        return only("added", decode(b.text) if b is not None and b.text is not None else None)
    if b is None or b.text is None:
        return only("removed", decode(a.text))
    return diff_values(decode(a.text), decode(b.text), effort)


def same_error(a: Failure | None, b: Failure | None) -> bool:
    """Whether the same went wrong. Where, is another matter: an item may have moved."""
    if a is None or b is None:
        return a is b
    return (a.code, a.message) == (b.code, b.message)


def _by_name(rows: Sequence[InputRow]) -> Mapping[str, InputRow]:
    return {row.name: row for row in rows}


def _reply(a: Side, b: Side, effort: Effort) -> TextDiff | None:
    if (a.output is not None and b.output is not None) or a.reply == b.reply:
        return None
    return diff_texts(a.reply, b.reply, effort)
