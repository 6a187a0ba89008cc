"""A record's trace goes on in everything that is sent because of it."""

import logging
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry import trace
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF

from streams.codec import encode_event
from streams.failures import Failures
from streams.metrics import Metrics
from streams.records import Headers, Output, Record
from streams.settings import RoleName
from streams.spans import Spans, context_headers
from streams.tagger import Tagger
from streams.tracing import Tracing, Untraced, tracing_for
from tests import factories as make

TRACE, SPAN = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
TRACEPARENT = ("traceparent", f"00-{TRACE}-{SPAN}-01".encode())
OUTPUT = Output(kind="tags", key=b"d1", value=b"tag")


class Exported:
    """A real SDK whose finished spans stay in memory."""

    def __init__(self) -> None:
        self._exporter = InMemorySpanExporter()
        self.provider = TracerProvider()
        self.provider.add_span_processor(SimpleSpanProcessor(self._exporter))

    def spans(self, role: RoleName) -> Spans:
        return Spans(role, self.provider)

    @property
    def finished(self) -> tuple[ReadableSpan, ...]:
        return self._exporter.get_finished_spans()


def traced(*headers: tuple[str, bytes]) -> Record:
    return make.record(b"text", headers=(TRACEPARENT, *headers))


def carry(tracing: Tracing, record: Record, *outputs: Output) -> tuple[Output, ...]:
    return tracing.carry(record, outputs or (OUTPUT,), started_ns=1_000, ended_ns=3_500)


def parent_of(headers: Headers) -> tuple[str, str]:
    """Trace and span of the one traceparent among the headers."""
    (value,) = (value for name, value in headers if name == "traceparent")
    _, trace_id, span_id, _ = value.decode().split("-")
    return trace_id, span_id


def ids(span: ReadableSpan) -> tuple[str, str]:
    context = span.get_span_context()
    assert context is not None
    return trace.format_trace_id(context.trace_id), trace.format_span_id(context.span_id)


def test_a_traced_record_makes_one_span_with_its_times_and_place_and_nothing_it_holds() -> None:
    exported = Exported()
    carry(exported.spans("tagger"), traced(("secret", b"words")))
    (span,) = exported.finished
    assert span.name == "kdsl tagger"
    assert span.kind is trace.SpanKind.CONSUMER
    assert (span.start_time, span.end_time) == (1_000, 3_500)
    assert span.parent is not None
    assert trace.format_span_id(span.parent.span_id) == SPAN
    assert dict(span.attributes or {}) == {
        "messaging.system": "kafka",
        "messaging.operation.type": "process",
        "messaging.destination.name": "dialogue.events",
        "messaging.destination.partition.id": "2",
        "messaging.kafka.offset": 41,
    }


def test_every_output_of_the_record_continues_its_span() -> None:
    exported = Exported()
    others = carry(exported.spans("tagger"), traced(), OUTPUT, OUTPUT)
    (span,) = exported.finished
    assert [parent_of(output.headers) for output in others] == [ids(span)] * 2
    assert ids(span)[0] == TRACE
    assert [(each.kind, each.key, each.value) for each in others] == [("tags", b"d1", b"tag")] * 2


def test_a_record_without_a_trace_makes_no_span_and_changes_nothing() -> None:
    exported = Exported()
    for headers in ((), (("kdsl-attempts", b"2"),), (("baggage", b"user=1"),)):
        record = make.record(b"text", headers=headers)
        assert carry(exported.spans("tagger"), record) == (OUTPUT,)
    assert exported.finished == ()


async def test_from_event_to_deferred_to_tag_it_is_one_trace() -> None:
    exported = Exported()
    event = make.event(make.user("where is it?", make.image(content=make.png())))
    record = make.record(encode_event(event), headers=(TRACEPARENT,))
    (outputs,) = await tagger().decide([record])
    outputs = carry(exported.spans("tagger"), record, *outputs)
    assert [output.kind for output in outputs] == ["tags", "deferred"]
    tag, deferred = outputs

    asked = make.record(deferred.value, topic="dialogue.deferred", headers=deferred.headers)
    (late_tag,) = carry(exported.spans("resolver"), asked)
    tagging, resolving = exported.finished
    assert (tagging.name, resolving.name) == ("kdsl tagger", "kdsl resolver")
    assert resolving.parent is not None
    assert trace.format_span_id(resolving.parent.span_id) == ids(tagging)[1]
    assert parent_of(tag.headers) == ids(tagging)
    assert parent_of(late_tag.headers) == ids(resolving)
    assert ids(tagging)[0] == ids(resolving)[0] == TRACE


def test_a_context_that_an_output_has_is_replaced_and_its_other_headers_stay() -> None:
    old = Output(
        kind="tags",
        key=None,
        value=b"",
        headers=(("traceparent", b"old"), ("tracestate", b"old=1"), ("kept", b"1")),
    )
    (new,) = carry(Exported().spans("tagger"), traced(), old)
    assert [name for name, _ in new.headers] == ["kept", "traceparent"]


def test_state_and_baggage_travel_along() -> None:
    record = traced(("tracestate", b"vendor=1"), ("baggage", b"shop=7"))
    (output,) = carry(Exported().spans("tagger"), record)
    assert dict(output.headers)["tracestate"] == b"vendor=1"
    assert dict(output.headers)["baggage"] == b"shop=7"


def test_what_is_too_long_stays_behind() -> None:
    record = traced(("tracestate", b"v=" + b"1" * 511), ("baggage", b"b=" + b"1" * 4095))
    (output,) = carry(Exported().spans("tagger"), record)
    assert [name for name, _ in output.headers] == ["traceparent"]


def test_baggage_that_grows_too_long_by_its_escapes_stays_behind() -> None:
    record = traced(("baggage", b"b=" + b"!" * 700 + b",c=" + b"!" * 700))  # each becomes %21
    (output,) = carry(Exported().spans("tagger"), record)
    assert [name for name, _ in output.headers] == ["traceparent"]


def test_only_short_ascii_headers_that_may_hold_a_context_are_looked_at() -> None:
    headers: Headers = (
        ("tracestate", b"1" * 513),
        ("baggage", b"1" * 4097),
        ("traceparent", "\u00e9".encode()),
        ("other", b"1"),
        *[("tracestate", b"1" * 512)] * 100,
    )
    names = {"traceparent", "tracestate", "baggage"}
    assert context_headers(headers, names) == {"tracestate": ["1" * 512] * 4}


@pytest.mark.parametrize(
    "value",
    [
        b"",
        b"00",
        b"\xff\xfe",
        b"00-" + b"0" * 32 + b"-" + SPAN.encode() + b"-01",
        f"ff-{TRACE}-{SPAN}-01".encode(),
        f"00-{TRACE}-{SPAN}-01".encode() + b" " * 600,
    ],
)
def test_a_malformed_traceparent_is_as_none(value: bytes) -> None:
    exported = Exported()
    record = make.record(b"text", headers=(("traceparent", value),))
    assert carry(exported.spans("tagger"), record) == (OUTPUT,)
    assert exported.finished == ()


NAMES = st.sampled_from(["traceparent", "tracestate", "baggage", "other"])


@given(headers=st.lists(st.tuples(NAMES, st.binary(max_size=40))).map(tuple))
def test_whatever_headers_hold_the_outputs_are_sent(headers: Headers) -> None:
    record = make.record(b"text", headers=(TRACEPARENT, *headers))
    (output,) = carry(Exported().spans("tagger"), record)
    assert (output.kind, output.key, output.value) == (OUTPUT.kind, OUTPUT.key, OUTPUT.value)


def test_what_a_header_holds_is_never_logged(caplog: pytest.LogCaptureFixture) -> None:
    spans = Exported().spans("tagger")
    with caplog.at_level(logging.WARNING):
        carry(spans, traced(("tracestate", b"SECRET"), ("baggage", b"SECRET")))
        carry(spans, traced(("baggage", b"SE CRET=1")))
    assert caplog.text == ""


def test_what_is_not_sampled_is_carried_on_unsampled() -> None:
    provider = TracerProvider(sampler=ALWAYS_OFF)
    (output,) = carry(Spans("tagger", provider), traced())
    assert parent_of(output.headers)[0] == TRACE
    assert dict(output.headers)["traceparent"].endswith(b"-00")


def test_where_no_sdk_is_configured_the_records_own_context_is_passed_through() -> None:
    (output,) = carry(Spans("tagger", trace.NoOpTracerProvider()), traced())
    assert output.headers == (TRACEPARENT,)


def test_the_extra_decides_what_a_worker_uses(monkeypatch: pytest.MonkeyPatch) -> None:
    assert isinstance(tracing_for("tagger"), Spans)
    monkeypatch.delitem(sys.modules, "streams.spans")
    monkeypatch.setitem(sys.modules, "opentelemetry", None)
    without = tracing_for("tagger")
    assert isinstance(without, Untraced)
    assert carry(without, traced()) == (OUTPUT,)


def tagger() -> Tagger:
    """A tagger that answers intents by rule and leaves scenes open."""
    domain = make.domain()
    role = Tagger(
        domain=domain,
        image_prefixes=(),
        early_answer=True,
        metrics=Metrics("tagger"),
        failures=Failures(),
        now_ms=lambda: make.NOW_MS,
    )
    role.use(make.active_release(domain))
    return role
