"""A release that is swapped while records are in flight: no tag mixes two of them."""

import asyncio

from inference.reading import Reading
from streams.active_release import ActiveRelease
from streams.codec import decode_tag, encode_deferred, encode_event
from streams.events import Question, Tag
from streams.failures import Failures
from streams.metrics import Metrics
from streams.records import Record
from streams.resolver import Resolver
from streams.role import Outputs
from tests import factories as make
from tests.fakes import FakeModelSide, FakeReader, FakeScorer

DOMAIN = make.domain()
FIRST = make.active_release(DOMAIN)
SECOND = make.active_release(
    make.domain(
        rules={
            "intent": 'when last has "where" and not last has "never" then track',
            "scene": 'when screen has "total" and not screen has "never" then receipt',
        }
    )
)
PICTURE = make.png()


class SlowReader(FakeReader):
    """Reads an image once it may."""

    def __init__(self) -> None:
        super().__init__({PICTURE: ["Total"]})
        self.began = asyncio.Event()
        self.may_end = asyncio.Event()

    async def read(self, image: bytes, sha256: str) -> Reading:
        self.began.set()
        await self.may_end.wait()
        return await super().read(image, sha256)


def asking(name: str) -> Record:
    event = make.event(make.user("where is it", make.image("i1", PICTURE)), event_id=name)
    questions = (Question(task="intent"), Question(task="scene", image_id="i1"))
    return make.record(encode_deferred(make.deferred(encode_event(event), *questions)))


def rule_ids(release: ActiveRelease) -> set[str]:
    return {rule.id for task in release.tasks.values() for rule in task.rule_set.rules}


def tags_of(decided: list[Outputs]) -> list[Tag]:
    return [decode_tag(output.value) for outputs in decided for output in outputs]


async def test_records_in_flight_end_on_the_release_they_began_with() -> None:
    reader = SlowReader()
    role = Resolver(
        domain=DOMAIN,
        model_side=FakeModelSide(DOMAIN, scorer=FakeScorer(DOMAIN), reader=reader),
        metrics=Metrics("resolver"),
        failures=Failures(),
        now_ms=lambda: make.NOW_MS,
    )
    assert rule_ids(FIRST).isdisjoint(rule_ids(SECOND))
    role.use(FIRST)
    # More than are resolved at once: the last ones have not even been decoded yet.
    in_flight = asyncio.create_task(role.decide([asking(f"e{number}") for number in range(6)]))
    await reader.began.wait()
    role.use(SECOND)
    reader.may_end.set()
    before, after = tags_of(await in_flight), tags_of(await role.decide([asking("e6")]))
    assert len(before) == 2 * 6
    assert len(after) == 2
    for tags, release in ((before, FIRST), (after, SECOND)):
        assert {tag.release for tag in tags} == {release.digest}
        assert all(tag.rules and set(tag.rules) <= rule_ids(release) for tag in tags)
