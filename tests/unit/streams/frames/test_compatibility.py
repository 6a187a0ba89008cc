"""Another Faust than the one the transport was written against is refused by name."""

import faust
import pytest
from aiokafka import AIOKafkaProducer
from aiokafka.client import AIOKafkaClient
from faust.transport.drivers import aiokafka as driver
from faust.types import TP

from streams.frames.compatibility import FaustChanged, check_faust


def test_the_installed_faust_is_the_one_the_transport_was_written_against() -> None:
    check_faust()


def test_a_method_that_takes_something_else_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    def _new_offset(self: object, tp: TP, surprise: int) -> int:
        return surprise

    monkeypatch.setattr(driver.Consumer, "_new_offset", _new_offset)
    with pytest.raises(FaustChanged, match=r"changed Consumer\._new_offset; install"):
        check_faust()


def test_a_method_that_is_no_coroutine_any_more_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    def _commit(self: object, offsets: object) -> bool:
        return bool(offsets)

    monkeypatch.setattr(driver.Consumer, "_commit", _commit)
    with pytest.raises(FaustChanged, match=r"changed Consumer\._commit; install"):
        check_faust()


@pytest.mark.parametrize(
    ("owner", "name"),
    [
        (driver.Transport, "create_consumer"),
        (faust.Schema, "loads_value"),
        (driver.AIOKafkaConsumerThread, "_consumer"),
        (AIOKafkaClient, "force_metadata_update"),
        (AIOKafkaProducer, "send_batch"),
    ],
)
def test_what_is_missing_is_named(owner: type, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for each in owner.__mro__:
        if name in vars(each):
            monkeypatch.delattr(each, name)
        if name in getattr(each, "__annotations__", {}):
            monkeypatch.delitem(each.__annotations__, name)
    with pytest.raises(FaustChanged, match=rf"has no {owner.__name__}\.{name}; install"):
        check_faust()
