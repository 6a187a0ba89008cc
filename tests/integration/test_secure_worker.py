"""A worker on a Kafka with TLS, passwords and rights, under a stable name."""

from collections.abc import Iterator
from pathlib import Path
from typing import get_args

import pytest
from confluent_kafka.admin import AdminClient

from rule_store import canonical_bytes
from streams.building import build_release, pack_rules
from streams.codec import encode_event
from streams.events import DialogueEvent, Turn
from streams.preflight import NEEDS
from streams.topics import Kind, group_name, topic_name
from tests.secure_broker import SecureBroker
from tests.system import System

pytestmark = pytest.mark.kafka

EVENTS = 5


@pytest.fixture
def system(secure_kafka: SecureBroker, tmp_path: Path) -> Iterator[System]:
    """We reach the cluster as `admin`, the workers as `worker`."""
    environment = secure_kafka.environment("worker") | {"KDSL_INSTANCE": "pod-0"}
    with System(
        kafka=secure_kafka.node,
        reached=secure_kafka.cluster("admin"),
        environment=environment,
        folder=tmp_path,
    ) as system:
        yield system


def members(system: System, group: str) -> list[str | None]:
    """The stable names in a group, as the plain listener tells."""
    admin = AdminClient({"bootstrap.servers": system.kafka.bootstrap})
    described = admin.describe_consumer_groups([group])[group].result(timeout=20)
    return [member.group_instance_id for member in described.members]


def test_a_tagger_with_the_rights_it_asks_for_answers_under_its_stable_name(
    system: System, secure_kafka: SecureBroker
) -> None:
    group = group_name(system.domain.name, "tagger", prefix=system.prefix)
    needs = NEEDS["tagger"]
    for kind in get_args(Kind):
        topic = topic_name(kind, prefix=system.prefix)
        if kind in needs.reads:
            secure_kafka.allow("worker", topic=topic, operation="read")
        if kind in needs.writes:
            secure_kafka.allow("worker", topic=topic, operation="write")
    secure_kafka.allow("worker", group=group, operation="read")
    system.activate(canonical_bytes(build_release(system.domain, pack_rules(system.domain))))
    system.start("tagger")
    assert members(system, group) == ["tagger-pod-0"]
    system.send_raw("events", [(b"d", encode_event(event(number))) for number in range(EVENTS)])
    system.until(lambda: system.lag("tagger") == 0, "all events are decided and committed")
    assert len(system.tags()) + len(system.records("deferred")) == EVENTS


def event(number: int) -> DialogueEvent:
    return DialogueEvent(
        domain="storefront",
        event_id=f"event-{number}",
        dialogue_id="d",
        sent_at_ms=1,
        turns=(Turn(speaker="user", text="where is my order?"),),
    )
