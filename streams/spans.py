"""A span for every traced record, by OpenTelemetry; imported only where that is installed."""

import logging
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace

from opentelemetry import propagate, trace
from opentelemetry.context import Context
from opentelemetry.trace import SpanKind, TracerProvider

from streams.records import Headers, Output, Record
from streams.settings import RoleName

# W3C bounds traceparent and tracestate far below; baggage beyond it stays behind. All of them
# together leave room for the key in what Kafka's limits allow a record besides its value.
_HEADER_BYTES = 512
_BAGGAGE_BYTES = 4096
_PER_NAME = 4

# Loggers that quote what a stranger's header holds, once a record.
_QUOTING = (
    "opentelemetry.baggage.propagation",
    "opentelemetry.trace.propagation.tracecontext",
    "opentelemetry.trace.span",
)


class Spans:
    """Continues the traces that records bring along; records without one cost nothing.

    provider: makes the spans; None takes the one that the process has configured. Where none
        is, the outputs carry the record's own context, as if we were not there.
    """

    def __init__(self, role: RoleName, provider: TracerProvider | None = None) -> None:
        self._name = f"kdsl {role}"
        self._tracer = trace.get_tracer("kdsl", tracer_provider=provider)
        self._propagator = propagate.get_global_textmap()
        self._fields = frozenset(self._propagator.fields)
        for name in _QUOTING:
            logging.getLogger(name).setLevel(logging.ERROR)

    def carry(
        self, record: Record, outputs: Sequence[Output], *, started_ns: int, ended_ns: int
    ) -> tuple[Output, ...]:
        """See `Tracing.carry`; the span says where the record lay, and nothing it holds."""
        found = context_headers(record.headers, self._fields) if record.headers else {}
        if not found:
            return tuple(outputs)
        parent = self._propagator.extract(found, context=Context())
        if not trace.get_current_span(parent).get_span_context().is_valid:
            return tuple(outputs)
        span = self._tracer.start_span(
            self._name,
            context=parent,
            kind=SpanKind.CONSUMER,
            attributes={
                "messaging.system": "kafka",
                "messaging.operation.type": "process",
                "messaging.destination.name": record.topic,
                "messaging.destination.partition.id": str(record.partition),
                "messaging.kafka.offset": record.offset,
            },
            start_time=started_ns,
        )
        span.end(ended_ns)
        carried: dict[str, str] = {}
        self._propagator.inject(carried, context=trace.set_span_in_context(span, parent))
        context = tuple(
            (name, text.encode()) for name, text in carried.items() if len(text) <= _bound(name)
        )
        return tuple(
            replace(output, headers=with_context(output.headers, context, self._fields))
            for output in outputs
        )


def context_headers(headers: Headers, names: Collection[str]) -> Mapping[str, list[str]]:
    """The headers that may hold a context, without those that are too long or not ASCII.

    >>> context_headers((("traceparent", b"00-1"), ("other", b"2")), {"traceparent"})
    {'traceparent': ['00-1']}
    """
    found: dict[str, list[str]] = {}
    for name, value in headers:
        if name in names and len(value) <= _bound(name) and value.isascii():
            values = found.setdefault(name, [])
            if len(values) < _PER_NAME:
                values.append(value.decode("ascii"))
    return found


def with_context(headers: Headers, context: Headers, names: Collection[str]) -> Headers:
    """Headers with this context in the place of any other.

    >>> with_context((("tracestate", b"a=1"), ("x", b"2")), (("traceparent", b"3"),),
    ...              {"traceparent", "tracestate"})
    (('x', b'2'), ('traceparent', b'3'))
    """
    return (*((name, value) for name, value in headers if name not in names), *context)


def _bound(name: str) -> int:
    return _BAGGAGE_BYTES if name == "baggage" else _HEADER_BYTES
