"""Fills a Phoenix with traces: `python -m tests.benchmarks.peer_phoenix fill URL TRACES STEPS`, then, with the server
stopped, `... clone DATABASE TIMES`. Runs in the peer's own environment.

Ingesting costs Phoenix some 8 ms of CPU a span, so one part is sent and the rest are copies of its rows.
"""

from __future__ import annotations

import json
import sqlite3
import sys

from tests.benchmarks.workload import answer, prompt_of

PROJECT = "bench"
_PAST = 1_000_000  # ids of one copy never meet another's


def fill(url: str, traces: int, steps: int) -> None:
    """Send traces of a chain of prompt steps, as Phoenix's own instrumentation of a model call would."""
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor

    provider = TracerProvider(resource=Resource({"openinference.project.name": PROJECT}))
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(f"{url}/v1/traces"), max_queue_size=100_000))
    tracer = provider.get_tracer("bench")
    text = answer()
    for _ in range(traces):
        with tracer.start_as_current_span("line", attributes={"openinference.span.kind": "CHAIN", "input.value": text}):
            for n in range(steps):
                asked, text = prompt_of(text), answer()
                model = {"openinference.span.kind": "LLM", "llm.model_name": "small", "llm.token_count.total": 700}
                said = {"input.value": asked, "output.value": text}
                tracer.start_span(f"ask~{n + 1}", attributes=model | said).end()
    provider.shutdown()


def clone(database: str, times: int) -> int:
    """Copy all traces and spans so many times; how many traces there are then."""
    with sqlite3.connect(database, timeout=60) as connection:
        for copy in range(1, times + 1):
            past = copy * _PAST
            new = {
                "traces": {"id": f"id + {past}", "trace_id": f"trace_id || 'x{copy}'"},
                "spans": {
                    "id": f"id + {past}",
                    "trace_rowid": f"trace_rowid + {past}",
                    "span_id": f"span_id || 'x{copy}'",
                    "parent_id": f"parent_id || 'x{copy}'",
                },
            }
            for table, changed in new.items():
                columns = [row[1] for row in connection.execute(f"PRAGMA table_xinfo({table})") if not row[6]]
                values = ", ".join(changed.get(column, column) for column in columns)
                connection.execute(
                    f"INSERT INTO {table} ({', '.join(columns)}) SELECT {values} FROM {table} WHERE id < {_PAST}"
                )
        connection.execute("ANALYZE")
        ((found,),) = connection.execute("SELECT count(*) FROM traces")
    connection.close()
    return int(found)


def main(what: str, place: str, *numbers: str) -> None:
    if what == "fill":
        fill(place, *(int(number) for number in numbers))
    else:
        print(json.dumps({"traces": clone(place, int(numbers[0]))}))


if __name__ == "__main__":
    main(*sys.argv[1:])
