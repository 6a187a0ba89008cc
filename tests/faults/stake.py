"""What a worker has at stake, as the broker tells it."""

import re
from collections.abc import Collection, Iterator
from contextlib import suppress
from urllib.request import urlopen

from streams.codec import decode_deferred, decode_event
from streams.errors import InvalidRecord
from streams.preflight import NEEDS
from streams.questions import questions
from streams.settings import RoleName
from tests.faults.verify import Asked, Kind, Outputs, answers, given_up
from tests.system import System

_HELD = re.compile(r'^kdsl_commit_lag_records\{partition="(\d+)"\}', re.MULTILINE)
_ANSWERED_BY: dict[RoleName, tuple[Kind, ...]] = {
    "tagger": ("tagger's tag", "deferred"),
    "resolver": ("resolver's tag",),
}


def held_partitions(system: System, name: str) -> set[int]:
    """The partitions of its source that a worker holds, by number."""
    with urlopen(f"http://127.0.0.1:{system.ports[name]}/metrics", timeout=2) as answer:
        return {int(number) for number in _HELD.findall(answer.read().decode())}


def unanswered(
    system: System, role: RoleName, partitions: Collection[int], *, before_ms: int
) -> int:
    """Questions in a role's source, older than a moment, to which no output stands yet.

    Args:
        system: whose topics they are.
        role: whose source and outputs.
        partitions: by number; nobody else may be at work on them now.
        before_ms: the moment; later records have not reached anybody.
    """
    asked = {
        question
        for record in system.records(NEEDS[role].reads[0])
        if record.partition in partitions and record.timestamp_ms < before_ms
        for question in _asked(system, role, record.value or b"")
    }
    outputs = Outputs(
        tags=system.records("tags"),
        deferred=system.records("deferred"),
        dead_letters=system.records("dead_letters"),
    )
    dead = given_up(outputs)
    given = {each.asked for each in answers(outputs) if each.kind in _ANSWERED_BY[role]}
    return sum(question not in given and question[0] not in dead for question in asked)


def _asked(system: System, role: RoleName, value: bytes) -> Iterator[Asked]:
    with suppress(InvalidRecord):
        if role == "resolver":
            deferred = decode_deferred(value)
            event = decode_event(deferred.record)
            yield from ((event.event_id, each.question) for each in deferred.questions)
        else:
            event = decode_event(value)
            yield from ((event.event_id, each) for each in questions(event, system.domain))
