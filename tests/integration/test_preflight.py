"""A worker that could not do its work says so in one sentence and ends with status 1."""

import asyncio
import os
import subprocess
import sys
import uuid
from dataclasses import replace
from typing import Any

import pytest
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType

from streams.cluster import Cluster
from streams.errors import AuthenticationFailed, BrokerUnreachable, RightMissing
from streams.kafka import create_topics, open_admin
from streams.local_broker import LocalBroker
from streams.ports import HOST, free_port
from streams.preflight import check_writable, preflight
from streams.settings import ROLES, RoleName
from streams.topics import Kind, group_name, topic_name
from tests.secure_broker import Operation, SecureBroker

pytestmark = pytest.mark.kafka

# What an alerter needs: (topic, operation); and to read its group.
RIGHTS: tuple[tuple[Kind, Operation], ...] = (
    ("tags", "read"),
    ("alerts", "write"),
    ("dead_letters", "write"),
    ("status", "write"),
)


def refusal(bootstrap: str, prefix: str, **environment: str) -> str:
    """The one sentence with which an alerter refuses to start."""
    finished = subprocess.run(
        [sys.executable, "-m", "streams.cli", "worker", "alerter"],
        env=os.environ | {"KDSL_BOOTSTRAP": bootstrap, "KDSL_PREFIX": prefix} | environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert finished.returncode == 1
    assert finished.stdout == ""
    (line,) = finished.stderr.splitlines()
    return line.removeprefix("kdsl: ")


@pytest.fixture
def prefix() -> str:
    return f"t{uuid.uuid4().hex[:8]}-"


@pytest.fixture
def plain(kafka: LocalBroker, prefix: str) -> Cluster:
    """A cluster with our topics, two partitions each."""
    cluster = Cluster(bootstrap=kafka.bootstrap)
    asyncio.run(create_topics(cluster, prefix=prefix, partitions=2))
    return cluster


@pytest.fixture
def secure(secure_kafka: SecureBroker, prefix: str) -> SecureBroker:
    """A cluster with our topics, on which the user `worker` may not do anything yet."""
    asyncio.run(create_topics(secure_kafka.cluster("admin"), prefix=prefix, partitions=1))
    return secure_kafka


def grant(broker: SecureBroker, prefix: str, *, but: Kind | None = None, group: bool = True) -> str:
    """Give `worker` an alerter's rights, except one; the name of its group."""
    for kind, operation in RIGHTS:
        if kind != but:
            broker.allow("worker", topic=topic_name(kind, prefix=prefix), operation=operation)
    name = group_name("storefront", "alerter", prefix=prefix)
    if group:
        broker.allow("worker", group=name, operation="read")
    return name


def test_a_broker_that_is_not_there() -> None:
    address = f"{HOST}:{free_port()}"
    assert refusal(address, "").startswith(f"no Kafka answers at {address}: ")


def test_topics_that_were_never_created(kafka: LocalBroker, prefix: str) -> None:
    said = refusal(kafka.bootstrap, prefix)
    assert said.startswith(f"no topic {prefix}dialogue.tags, {prefix}dialogue.alerts, ")
    assert f"`kdsl topics create --bootstrap {kafka.bootstrap} --prefix {prefix}`" in said


def test_other_partitions_than_expected(plain: Cluster, prefix: str) -> None:
    said = refusal(plain.bootstrap, prefix, KDSL_PARTITIONS="3")
    assert said == (
        f"topic {prefix}dialogue.tags at {plain.bootstrap} has 2 partitions and not 3: delete it, "
        "which takes its records along, then run `kdsl topics create --bootstrap "
        f"{plain.bootstrap} --prefix {prefix} --partitions 3`, or expect 2 (KDSL_PARTITIONS)"
    )


def test_a_topic_that_takes_no_records_as_large_as_ours(plain: Cluster, prefix: str) -> None:
    topic = topic_name("alerts", prefix=prefix)

    async def shrink() -> None:
        async with open_admin(plain) as admin:
            config = {"max.message.bytes": "1000"}
            await admin.alter_configs([ConfigResource(ConfigResourceType.TOPIC, topic, config)])

    asyncio.run(shrink())
    said = refusal(plain.bootstrap, prefix)
    # An alert of 64 KiB and 16 KiB around it.
    assert said.startswith(f"topic {topic} takes records of 1000 bytes at most and must take 81920")
    assert f"--entity-name {topic} --add-config max.message.bytes=81920`" in said


@pytest.mark.parametrize("role", ROLES)
async def test_a_cluster_as_it_should_be_is_passed(
    kafka: LocalBroker, prefix: str, role: RoleName
) -> None:
    cluster = Cluster(bootstrap=kafka.bootstrap)
    await create_topics(cluster, prefix=prefix, partitions=2)
    await preflight(cluster, prefix=prefix, role=role, group=f"{prefix}group", partitions=2)


def test_a_wrong_password(secure: SecureBroker, prefix: str) -> None:
    environment = secure.environment("worker") | {"KDSL_SASL_PASSWORD": "wrong"}
    said = refusal(secure.bootstrap, prefix, **environment)
    assert "does not accept the password of user worker: check KDSL_SASL_USERNAME" in said


@pytest.mark.parametrize("visible", [False, True])
@pytest.mark.parametrize(
    ("kind", "operation"), [("tags", "Read"), ("dead_letters", "Write"), ("status", "Write")]
)
def test_a_right_on_a_topic_is_missing(
    secure: SecureBroker, prefix: str, kind: Kind, operation: str, visible: bool
) -> None:
    """Without any right on it, a topic cannot even be seen."""
    grant(secure, prefix, but=kind)
    topic = topic_name(kind, prefix=prefix)
    if visible:
        secure.allow("worker", topic=topic, operation="describe")
    assert refusal(secure.bootstrap, prefix, **secure.environment("worker")) == (
        f"user worker may not {operation.upper()} topic {topic}: grant it with `kafka-acls.sh "
        f"--bootstrap-server {secure.bootstrap} --add --allow-principal 'User:worker' "
        f"--operation {operation} --topic {topic}`"
    )


def test_the_right_to_read_the_group_is_missing(secure: SecureBroker, prefix: str) -> None:
    """To describe it is not enough to join it."""
    group = grant(secure, prefix, group=False)
    secure.allow("worker", group=group, operation="describe")
    assert refusal(secure.bootstrap, prefix, **secure.environment("worker")) == (
        f"user worker may not READ group {group}: grant it with `kafka-acls.sh "
        f"--bootstrap-server {secure.bootstrap} --add --allow-principal 'User:worker' "
        f"--operation Read --group {group}`"
    )


async def test_the_rights_that_are_asked_for_are_enough(
    secure_kafka: SecureBroker, prefix: str
) -> None:
    await create_topics(secure_kafka.cluster("admin"), prefix=prefix, partitions=1)
    group = await asyncio.to_thread(grant, secure_kafka, prefix)
    worker = secure_kafka.cluster("worker")
    await preflight(worker, prefix=prefix, role="alerter", group=group, partitions=1)


async def test_sending_needs_the_right_to_write(secure_kafka: SecureBroker, prefix: str) -> None:
    await create_topics(secure_kafka.cluster("admin"), prefix=prefix, partitions=1)
    with pytest.raises(RightMissing, match=f"may not WRITE topic {prefix}dialogue.events"):
        await check_writable(secure_kafka.cluster("worker"), prefix=prefix, kind="events")


async def test_a_security_that_the_listener_does_not_speak_is_told_from_nobody_there(
    secure_kafka: SecureBroker,
) -> None:
    worker = secure_kafka.cluster("worker")
    for mistaken in (
        Cluster(bootstrap=secure_kafka.bootstrap),
        replace(worker, security="ssl"),
        replace(worker, security="sasl_plaintext"),
        Cluster(bootstrap=secure_kafka.node.bootstrap, security="ssl"),
    ):
        with pytest.raises(BrokerUnreachable, match="ends the conversation"):
            await check_writable(mistaken, prefix="", kind="events")


@pytest.mark.parametrize(
    ("changes", "cure"), [({"ca": None}, "KDSL_TLS_CA"), ({"mechanism": "PLAIN"}, "MECHANISM")]
)
async def test_what_is_not_believed_is_named_with_its_cure(
    secure_kafka: SecureBroker, changes: dict[str, Any], cure: str
) -> None:
    mistaken = replace(secure_kafka.cluster("worker"), **changes)
    with pytest.raises(AuthenticationFailed, match=cure):
        await check_writable(mistaken, prefix="", kind="events")
