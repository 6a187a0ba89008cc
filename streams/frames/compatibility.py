"""Checks at start that this Faust still has what the transport overrides and leans upon."""

import asyncio
import inspect

import aiokafka
import faust
from aiokafka import AIOKafkaConsumer
from aiokafka.consumer.group_coordinator import GroupCoordinator
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
            "seek",
            "task",
        ),
    ),
    (driver.AIOKafkaConsumerThread, ("_consumer", "crash_reason", "crashed", "thread_loop")),
    (AIOKafkaConsumer, ("_coordinator",)),
    (GroupCoordinator, ("check_errors",)),
)


class FaustChanged(Exception):
    """The installed Faust is not the one the transport was written against."""


def check_faust() -> None:
    """Compare what is overridden and leaned upon with what the installed Faust has.

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
