"""Frames in a whole Faust app: framed and ordinary topics, tables, restarts and rebalances."""

import signal
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from streams.local_broker import LocalBroker
from streams.processes import ProcessGroup
from tests.integration.frames_shop import COUNTED, FRAMED, KEYS, SOURCES, Shop

pytestmark = pytest.mark.kafka


@pytest.fixture
def shop(kafka: LocalBroker, tmp_path: Path) -> Iterator[Shop]:
    with ProcessGroup(tmp_path / "logs", stop_within_s=30) as processes:
        shop = Shop(bootstrap=kafka.bootstrap, folder=tmp_path, processes=processes)
        shop.create_topics()
        yield shop
        for name in processes.names():
            processes.kill(name)  # a clean end takes seconds, and nobody looks at it any more


def assert_exact(shop: Shop, sources: tuple[str, ...]) -> None:
    """Every record has an output, first outputs in order; counted once each, in tables too."""
    numbers = [str(number) for number in range(1, shop.sent + 1)]
    for source in sources:
        for key, values in shop.outputs(source).items():
            pairs = [value.partition(" ") for value in values]
            firsts = list(dict.fromkeys(number for number, _, _ in pairs))
            assert firsts == numbers, f"{source}, {key!r}: missing {set(numbers) - set(firsts)}"
            assert all(count in ("", number, "again") for number, _, count in pairs)
        if source in COUNTED:
            assert shop.table(source) == {key.decode(): shop.sent for key in KEYS}


def test_framed_and_ordinary_agents_and_tables_share_an_app_and_everything_is_exact(
    shop: Shop,
) -> None:
    shop.send(40)
    shop.start("a")
    shop.until(shop.all_committed, "all is committed")
    numbers = [str(number) for number in range(1, 41)]
    assert shop.outputs("orders") == dict.fromkeys(KEYS, numbers)
    counts = [f"{number} {number}" for number in range(1, 41)]
    for source in COUNTED:
        assert shop.outputs(source) == dict.fromkeys(KEYS, counts)
        assert shop.table(source) == {key.decode(): 40 for key in KEYS}


def test_a_worker_killed_at_work_loses_nothing_and_its_tables_are_recovered(shop: Shop) -> None:
    shop.send(100)
    shop.start("a", PAUSE_S="0.2")
    shop.until(lambda: all(shop.ends(f"{s}-out") > 50 for s in SOURCES), "all agents work")
    shop.processes.kill("a")
    assert not shop.all_committed()
    shop.send(20)
    shop.start("a")
    shop.until(lambda: shop.all_committed(FRAMED), "all is committed")
    assert_exact(shop, FRAMED)  # ordinary agents keep Faust's own losses


def test_a_worker_joins_and_leaves_and_no_framed_record_is_lost_or_counted_twice(
    shop: Shop,
) -> None:
    enough = threading.Event()

    def send_until_enough() -> None:
        while not enough.is_set():
            shop.send(2)
            time.sleep(0.1)

    shop.start("a", PAUSE_S="0.05")
    source = threading.Thread(target=send_until_enough)
    source.start()
    try:
        shop.until(lambda: all(shop.ends(f"{s}-out") > 0 for s in SOURCES), "a works")
        shop.start("b", PAUSE_S="0.05")
        both = {"a", "b"}
        shop.until(lambda: all(shop.workers(s) == both for s in SOURCES), "b works too")
        shop.processes.stop("b")
        assert shop.processes.status("b") == 0
        left = shop.sent
        shop.until(lambda: shop.sent > left + 20, "the stream goes on")
    finally:
        enough.set()
        source.join()
    shop.until(lambda: shop.all_committed(FRAMED), "all is committed")
    assert_exact(shop, FRAMED)  # ordinary agents keep Faust's own losses in a rebalance


def test_a_frame_abandoned_in_hand_overwrites_nothing_that_another_worker_counted(
    shop: Shop,
) -> None:
    shop.send(10)
    shop.start("a", HOLD="0")
    shop.until(lambda: "a frame is held" in shop.processes.log_path("a").read_text(), "a holds")
    shop.start("b")
    shop.send(10)  # after the held one is in its hands, a cannot work on any
    shop.until(lambda: shop.committed("clicks", 0) == shop.ends("clicks", 0), "b has counted")
    assert shop.committed("clicks", 1) < shop.ends("clicks", 1)
    shop.processes.send("a", signal.SIGUSR1)
    shop.until(lambda: shop.all_committed(FRAMED), "a goes on with its own partition")
    assert_exact(shop, FRAMED)


def test_what_is_acknowledged_is_committed_when_the_partition_is_revoked(shop: Shop) -> None:
    shop.send(10)
    shop.start("a", COMMIT_EVERY_S="3600")
    shop.until(lambda: all(shop.ends(f"{s}-out") == 100 for s in FRAMED), "a is done")
    assert shop.committed("orders") == shop.committed("clicks") == 0
    shop.start("b")
    shop.until(
        lambda: shop.committed("orders") == shop.committed("clicks") == 100,
        "the revoked partitions are committed",
    )
    assert shop.ends("orders-out") == shop.ends("clicks-out") == 100
