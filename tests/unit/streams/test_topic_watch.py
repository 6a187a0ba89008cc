"""A worker whose topic was deleted says so; one in reserve has nothing to say."""

import pytest

from streams.health import Health
from streams.topic_rights import Absent, Hidden, Present, TopicState, Unsettled
from streams.topic_watch import TopicWatch
from tests.fakes import FakeHoldings

THERE = Present(partitions=2, allowed=None)


class Bench:
    """A watch whose cluster says what the test says, and how often it was asked."""

    def __init__(self) -> None:
        self.held = FakeHoldings()
        self.health = Health()
        self.state: TopicState | None = THERE
        self.asked = 0
        self.watch = TopicWatch(
            "shop-dialogue.tags",
            held=self.held,
            state=self.ask,
            create="kdsl topics create --prefix shop-",
            health=self.health,
        )

    async def ask(self) -> TopicState | None:
        self.asked += 1
        return self.state


async def test_a_topic_that_is_gone_is_named_with_its_cure_until_it_is_back() -> None:
    bench = Bench()
    bench.state = Absent()
    await bench.watch.look()
    assert not bench.health.ready
    why = bench.health.obstacles["topic"]
    assert "topic shop-dialogue.tags is not there" in why
    assert "`kdsl topics create --prefix shop-`" in why
    bench.state = THERE
    await bench.watch.look()
    assert bench.health.ready


@pytest.mark.parametrize("state", [None, Hidden(), Unsettled("no leader")])
async def test_what_does_not_tell_changes_nothing(state: TopicState | None) -> None:
    bench = Bench()
    bench.state = state
    await bench.watch.look()
    assert bench.health.ready
    bench.state = Absent()
    await bench.watch.look()
    bench.state = state
    await bench.watch.look()
    assert not bench.health.ready


async def test_a_worker_in_reserve_is_ready_while_its_topic_is_there() -> None:
    bench = Bench()
    await bench.watch.look()
    assert (bench.health.ready, bench.asked) == (True, 1)


async def test_who_holds_partitions_asks_nobody_and_needs_no_answer() -> None:
    bench = Bench()
    bench.state = Absent()
    await bench.watch.look()
    bench.held.commits = {("shop-dialogue.tags", 0): None}
    await bench.watch.look()
    assert (bench.health.ready, bench.asked) == (True, 1)
