"""Checks at start that Faust and its client still have what is overridden and leaned upon."""

import asyncio
import inspect

import aiokafka
import faust
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.client import AIOKafkaClient
from aiokafka.cluster import ClusterMetadata
from aiokafka.consumer.fetcher import PartitionRecords
from aiokafka.consumer.group_coordinator import GroupCoordinator
from aiokafka.producer.message_accumulator import BatchBuilder
from faust.transport.drivers import aiokafka as driver

from streams.frames.consumer import Consumer
from streams.frames.transport import FrameSchema, Transport

_OVERRIDDEN: tuple[tuple[type, type, tuple[str, ...]], ...] = (
    (
        Consumer,
        driver.Consumer,
        (
            "_add_gap",
            "_commit",
            "_drain_messages",
            "_filter_tps_with_pending_acks",
            "_getmany",
            "_new_offset",
            "_should_commit",
            "_to_message",
            "ack",
            "on_buffer_full",
            "on_partitions_revoked",
            "perform_seek",
            "seek_to_committed",
        ),
    ),
    (Transport, driver.Transport, ("create_consumer",)),
    (FrameSchema, faust.Schema, ("loads_key", "loads_value")),
)

_LEANED_UPON: tuple[tuple[type, tuple[str, ...]], ...] = (
    (
        driver.Consumer,
        (
            "_commit_fut",
            "_read_offset",
            "_thread",
            "_unacked_messages",
            "assignment",
            "callback",
            "commit",
            "flow_active",
            "seek_wait",
            "suspend_flow",
            "task",
        ),
    ),
    (
        driver.AIOKafkaConsumerThread,
        ("_consumer", "crash_reason", "crashed", "seek_wait", "thread_loop"),
    ),
    (faust.Settings, ("broker_max_poll_interval", "broker_request_timeout")),
    (AIOKafkaConsumer, ("_coordinator",)),
    (GroupCoordinator, ("check_errors",)),
    (PartitionRecords, ("_tp", "_unpack_records", "next_fetch_offset")),
    (
        AIOKafkaProducer,
        ("client", "create_batch", "partitions_for", "send_batch", "start", "stop"),
    ),
    (BatchBuilder, ("append",)),
    (AIOKafkaClient, ("close", "cluster", "force_metadata_update")),
    (
        ClusterMetadata,
        ("available_partitions_for_topic", "partitions_for_topic", "unauthorized_topics"),
    ),
)


class FaustChanged(Exception):
    """The installed Faust is not the one the transport was written against."""


def check_faust() -> None:
    """Compare what is overridden and leaned upon with what is installed.

    Of methods that are overridden: that they are there, with these parameters. Of what is leaned
    upon, in the consumer, its client and the producer: that it is there by its name. What any of
    them does is not compared: for that the versions are pinned.

    Raises:
        FaustChanged: one is missing, or takes other parameters.
    """
    for ours, theirs, names in _OVERRIDDEN:
        for name in names:
            _require(theirs, name)
            if _shape(getattr(ours, name)) != _shape(getattr(theirs, name)):
                raise FaustChanged(f"{_INSTALLED} changed {theirs.__name__}.{name}; {_CURE}")
    for theirs, names in _LEANED_UPON:
        for name in names:
            _require(theirs, name)


_INSTALLED = f"Faust {faust.__version__} with aiokafka {aiokafka.__version__}"
_CURE = "install the versions that pyproject.toml names"


def _require(theirs: type, name: str) -> None:
    """Attributes that instances get are declared in the class, or set in the constructor."""
    if hasattr(theirs, name):
        return
    for each in theirs.__mro__:
        constructor = getattr(each.__init__, "__code__", None)  # type: ignore[misc]
        if name in inspect.get_annotations(each) or name in getattr(constructor, "co_names", ()):
            return
    raise FaustChanged(f"{_INSTALLED} has no {theirs.__name__}.{name}; {_CURE}")


def _shape(method: object) -> tuple[list[str], bool]:
    if not callable(method):
        raise TypeError(f"{method!r} is no method")
    parameters = list(inspect.signature(method).parameters)
    return parameters, asyncio.iscoroutinefunction(method)
