"""A Quix Streams application."""

from typing import Any

from streams.bench.labelling import label
from streams.bench.meter import Meter
from streams.bench.plan import Plan

# Its defaults are idempotent, and flush before they commit, so they give the guarantee already.
_STOCK: dict[str, Any] = {"producer_extra_config": {"acks": "all"}}
_BEST: dict[str, Any] = {
    "commit_interval": 1.0,
    "producer_extra_config": {
        "acks": "all",
        "linger.ms": 20,
        "batch.size": 256 * 1024,
        "queue.buffering.max.messages": 500_000,
    },
    "consumer_extra_config": {"session.timeout.ms": 10_000},
    "auto_create_topics": False,
    "broker_availability_timeout": 0,
}


def run(plan: Plan, meter: Meter) -> None:
    # Of the bench extra: nobody else needs it.
    from quixstreams import Application

    app = Application(
        broker_address=plan.bootstrap,
        consumer_group=plan.group,
        auto_offset_reset="earliest",
        **(_BEST if plan.best else _STOCK),
    )

    def work(value: bytes) -> bytes:
        meter.begin()
        labelled = label(value)
        meter.add(1)
        if meter.over:
            app.stop()  # after this record: flush, commit, leave `run`
        return labelled

    source = app.topic(plan.source, key_deserializer="bytes", value_deserializer="bytes")
    target = app.topic(plan.target, key_serializer="bytes", value_serializer="bytes")
    app.dataframe(source).apply(work).to_topic(target)
    app.run()
    meter.finish()
