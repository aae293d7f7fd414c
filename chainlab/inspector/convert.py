"""Traces as the API answers them: rows slimmed, texts cut to what a page shows at once. Knows no web framework."""

from __future__ import annotations

from chainlab.inspector.models import AttemptView, Input, MessageView, SegmentView, StepRow, Text
from chainlab.spec.path import static_path
from chainlab.trace import (
    AttemptRow,
    Datum,
    Failure,
    InputRow,
    RequestMessage,
    StepSummary,
    TraceReader,
    TryTime,
    reply_text,
)
from chainlab.values.codec import Json, decode, encode

MAX_BYTES = 65_536
_LIST_MESSAGE = 500  # characters of an error message in a list; the step's own view has all of it


def text(value: str, *, hashed: str | None = None) -> Text:
    """Text, cut to what a page shows at once."""
    body = value.encode(errors="surrogatepass")
    if len(body) <= MAX_BYTES:
        return Text(value, len(body), False, hashed)
    return Text(_head(body), len(body), True, hashed)


def datum(value: Datum, reader: TraceReader) -> Text:
    """A stored value's JSON text. One that the reader left out, because it is large, is fetched for its beginning."""
    if value.text is not None:
        return text(value.text, hashed=value.hash)
    body = reader.payload(value.hash) if value.hash is not None else None
    return Text("" if body is None else _head(body), value.size, True, value.hash)


def input_(row: InputRow, reader: TraceReader) -> Input:
    """One parameter."""
    return Input(row.name, datum(row.value, reader), row.from_path, row.from_field)


def step_row(step: StepSummary, tries: tuple[TryTime, ...] = (), *, whole: bool = False) -> StepRow:
    """A step for a list, its error message shortened unless `whole`."""
    return StepRow(
        path=step.path,
        static=static_path(step.path),
        kind=step.kind,
        status=step.status,
        model=step.model,
        error=step.error if whole else shortened(step.error),
        cause_path=step.cause_path,
        origin_run_id=step.origin_run_id,
        origin_path=step.origin_path,
        attempts=step.attempts,
        started_at=step.started_at,
        finished_at=step.finished_at,
        duration_us=step.duration_us,
        queue_us=step.queue_us,
        ttft_us=step.ttft_us,
        tokens_in=step.tokens_in,
        tokens_out=step.tokens_out,
        cost_nano=step.cost_nano,
        tries=tries,
    )


def tries_of(attempts: tuple[AttemptRow, ...]) -> tuple[TryTime, ...]:
    """When the tries of a step were made, where there are several."""
    if len(attempts) < 2:
        return ()
    return tuple(TryTime(a.n, a.reason, a.status, a.started_at, a.duration_us, a.ttft_us) for a in attempts)


def attempt(row: AttemptRow, reader: TraceReader) -> AttemptView:
    """One try of a step."""
    said, whole = _reply(row, reader)
    reply = None if said is None else text(said)
    return AttemptView(
        n=row.n,
        reason=row.reason,
        status=row.status,
        messages=tuple(_message(message) for message in row.messages),
        parameters=None if row.parameters is None else text(_json(row.parameters)),
        reply=reply,
        raw=None if whole is None or (reply is not None and not reply.cut and _is_text(whole)) else whole,
        http_status=row.http_status,
        error=row.error,
        finish_reason=row.finish_reason,
        served_model=row.served_model,
        backend=row.backend,
        base=row.base,
        adapter=row.adapter,
        started_at=row.started_at,
        duration_us=row.duration_us,
        ttft_us=row.ttft_us,
        tokens_in=row.tokens_in,
        tokens_out=row.tokens_out,
        cost_nano=row.cost_nano,
        tokens_cached=row.tokens_cached,
        gauges=row.gauges,
        adapter_hash=row.adapter_hash,
        model=row.model,
    )


def _reply(row: AttemptRow, reader: TraceReader) -> tuple[str | None, Text | None]:
    """What the model wrote, and the backend's whole answer. The reader leaves out a long one."""
    if row.reply is None:
        return None, None
    said = row.reply_text
    if row.reply.text is None and row.reply.hash is not None:
        body = reader.payload(row.reply.hash)
        said = None if body is None else reply_text(decode(body))
    return said, datum(row.reply, reader)


def _is_text(answer: Text) -> bool:
    return answer.text.startswith('"')


def shortened(error: Failure | None) -> Failure | None:
    """An error for a list: the beginning of its message, with an ellipsis where it was cut."""
    if error is None or len(error.message) <= _LIST_MESSAGE:
        return error
    return Failure(error.code, error.message[:_LIST_MESSAGE] + "…", error.path)


def _message(message: RequestMessage) -> MessageView:
    segments = []
    for segment in message.segments:
        shown = text(segment.text)
        segments.append(SegmentView(shown.text, shown.size, segment.variable))
    return MessageView(message.role, tuple(segments))


def _json(value: Json) -> str:
    return encode(value).decode()


def _head(body: bytes) -> str:
    # `ignore` drops the character that the cut went through, and nothing else of valid text.
    return body[:MAX_BYTES].decode(errors="ignore")
