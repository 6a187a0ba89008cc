"""Checks at start that this Faust still has what the transport overrides."""

import asyncio
import inspect

import faust
from faust.transport.drivers import aiokafka as driver

from streams.frames.consumer import Consumer

_OVERRIDDEN = (
    "_add_gap",
    "_drain_messages",
    "_filter_tps_with_pending_acks",
    "_getmany",
    "_new_offset",
    "_to_message",
    "ack",
    "on_buffer_full",
    "on_partitions_revoked",
    "perform_seek",
)


class FaustChanged(Exception):
    """The installed Faust is not the one the transport was written against."""


def check_faust() -> None:
    """Compare the overridden methods with those of the installed Faust.

    Raises:
        FaustChanged: one is missing, or takes other parameters.
    """
    for name in _OVERRIDDEN:
        ours, theirs = getattr(Consumer, name), getattr(driver.Consumer, name, None)
        if theirs is None:
            raise FaustChanged(f"Faust {faust.__version__} has no Consumer.{name}; {_CURE}")
        if _shape(ours) != _shape(theirs):
            raise FaustChanged(f"Faust {faust.__version__} changed Consumer.{name}; {_CURE}")


_CURE = "install the version that pyproject.toml names"


def _shape(method: object) -> tuple[list[str], bool]:
    if not callable(method):
        raise TypeError(f"{method!r} is no method")
    parameters = list(inspect.signature(method).parameters)
    return parameters, asyncio.iscoroutinefunction(method)
