"""The whole system on one machine: broker, bundle, release, three workers, the sample dialogues."""

import asyncio
import contextlib
import sys
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace

import aiohttp

from rule_store import load_key, public_path, signed_from_bytes
from streams.accounting import Accounts
from streams.activating import Wanted, activate_release
from streams.cluster import Cluster
from streams.codec import decode_alert, decode_dead_letter, decode_tag
from streams.datasets import Example
from streams.demo_folder import DemoFolder
from streams.domain import Domain
from streams.errors import BrokerStartFailed, StartupError
from streams.events import Tag
from streams.kafka import create_topics, follow_topic, group_lag, open_producer
from streams.local_broker import LocalBroker
from streams.ports import free_port
from streams.processes import ProcessGroup
from streams.publishing import KafkaReleaseTopic
from streams.role import system_now_ms
from streams.sending import send_events
from streams.settings import ROLES, RoleName
from streams.topics import group_name, topic_name

Report = Callable[[str], None]

_READY_WITHIN_S = 90.0
_ALERTS_WITHIN_S = 10.0
_PARTITIONS = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Running:
    """A system that is up."""

    cluster: Cluster
    processes: ProcessGroup
    domain: Domain
    ports: Mapping[RoleName, int]


@asynccontextmanager
async def running_system(
    folder: DemoFolder, domain: Domain, *, report: Report
) -> AsyncIterator[Running]:
    """Broker, topics, active release and the three workers, all ready; all stopped at the end."""
    broker = LocalBroker(folder.broker, report=report)
    await asyncio.to_thread(broker.wipe)
    report("starting Kafka")
    try:
        await asyncio.to_thread(broker.start)
        cluster = Cluster(bootstrap=broker.bootstrap)
        await create_topics(cluster, prefix="", partitions=_PARTITIONS)
        await _activate(folder, cluster)
        report(f"starting {', '.join(ROLES)}")
        processes = ProcessGroup(folder.logs)
        try:
            ports = {role: free_port() for role in ROLES}
            for role in ROLES:
                command = _worker(role, folder, domain, cluster, ports[role])
                processes.start(role, command, restart=True)
            for role in ROLES:
                await _until_ready(role, ports[role], processes)
            yield Running(cluster=cluster, processes=processes, domain=domain, ports=ports)
        finally:
            await asyncio.to_thread(processes.stop)
    finally:
        await asyncio.to_thread(broker.stop)


async def _activate(folder: DemoFolder, cluster: Cluster) -> None:
    # Here, as the other commands need no database.
    from rule_store.registry import Registry

    key, now_ms = load_key(folder.key), system_now_ms()
    topic = KafkaReleaseTopic(cluster, prefix="")
    with Registry.open(folder.registry) as registry:
        signed = signed_from_bytes(folder.release.read_bytes())
        row = registry.add_release(signed, by="demo", at_ms=now_ms)
        wanted = Wanted(release=row.digest, key=key, by="demo", at_ms=now_ms)
        # Its broker is made anew when somebody deletes the records.
        registry.bind(await topic.binding(), by="demo", at_ms=now_ms)
        await activate_release(registry, topic, wanted)


def _worker(
    role: RoleName, folder: DemoFolder, domain: Domain, cluster: Cluster, port: int
) -> list[str]:
    arguments = [sys.executable, "-m", "streams.cli", "worker", role]
    arguments += ["--bootstrap", cluster.bootstrap, "--domain", domain.name]
    arguments += ["--web-port", str(port)]
    if role != "alerter":
        arguments += ["--trust", str(public_path(folder.key))]
    if role == "resolver":
        arguments += ["--bundle", str(folder.bundle), "--cache", str(folder.cache)]
    return arguments


async def _until_ready(role: RoleName, port: int, processes: ProcessGroup) -> None:
    """Wait until a worker's `/ready` says so.

    Raises:
        StartupError: it keeps dying, or does not get ready; with the end of its log.
    """
    deadline = asyncio.get_running_loop().time() + _READY_WITHIN_S
    async with aiohttp.ClientSession() as session:
        while asyncio.get_running_loop().time() < deadline:
            if processes.restarts(role) > 1:
                break
            with contextlib.suppress(aiohttp.ClientError):
                async with session.get(f"http://127.0.0.1:{port}/ready") as response:
                    if response.status == 200:
                        return
            await asyncio.sleep(0.1)
    raise StartupError(f"the {role} does not get ready; its log ends:\n{processes.log_tail(role)}")


async def play(
    system: Running,
    examples: list[Example],
    accounts: Accounts,
    *,
    rate: float,
    on_tag: Callable[[Tag], None],
    give_up_after_s: float,
) -> None:
    """Send the dialogues and keep the books until every question is accounted for.

    Args:
        system: up and ready.
        examples: what to send.
        accounts: kept here.
        rate: events a second.
        on_tag: called with every tag as it arrives.
        give_up_after_s: without any news for so long, what is missing stays missing.
    """
    news = asyncio.Event()
    readers = [
        asyncio.create_task(read)
        for read in (
            _read_tags(system, accounts, on_tag, news),
            _read_dead_letters(system, accounts, news),
            _read_alerts(system, accounts),
        )
    ]
    try:
        async with open_producer(system.cluster) as producer:
            stamped = (_stamp(example, accounts) for example in examples)
            async for _ in send_events(stamped, producer, prefix="", rate=rate):
                _raise_failed(readers)
        while accounts.missing:
            news.clear()
            _raise_failed(readers)
            try:
                await asyncio.wait_for(news.wait(), timeout=give_up_after_s)
            except TimeoutError:
                break
        await _until_alerted(system)
    finally:
        for reader in readers:
            reader.cancel()
        await asyncio.gather(*readers, return_exceptions=True)


def _stamp(example: Example, accounts: Accounts) -> Example:
    """The example as sent now; called at the moment of sending."""
    now_ms = system_now_ms()
    sent = replace(example, event=replace(example.event, sent_at_ms=now_ms))
    accounts.sent(sent.event, at_ms=now_ms, label=sent.label)
    return sent


def _raise_failed(readers: list[asyncio.Task[None]]) -> None:
    for reader in readers:
        if reader.done() and (error := reader.exception()) is not None:
            raise BrokerStartFailed(f"reading the output stopped: {error!r}") from error


async def _read_tags(
    system: Running, accounts: Accounts, on_tag: Callable[[Tag], None], news: asyncio.Event
) -> None:
    async for record in follow_topic(system.cluster, topic_name("tags"), from_ms=0):
        tag = decode_tag(record.value or b"")
        accounts.tag(tag, at_ms=record.timestamp_ms)
        on_tag(tag)
        news.set()


async def _read_dead_letters(system: Running, accounts: Accounts, news: asyncio.Event) -> None:
    async for record in follow_topic(system.cluster, topic_name("dead_letters"), from_ms=0):
        accounts.dead_letter(decode_dead_letter(record.value or b""))
        news.set()


async def _read_alerts(system: Running, accounts: Accounts) -> None:
    async for record in follow_topic(system.cluster, topic_name("alerts"), from_ms=0):
        accounts.alert(decode_alert(record.value or b"").alert_id)


async def _until_alerted(system: Running) -> None:
    """Give the alerter the time to get to the end of the tags."""
    group = group_name(system.domain.name, "alerter")
    deadline = asyncio.get_running_loop().time() + _ALERTS_WITHIN_S
    while asyncio.get_running_loop().time() < deadline:
        if await group_lag(system.cluster, group, topic_name("tags")) == 0:
            break
        await asyncio.sleep(0.2)
    await asyncio.sleep(0.5)  # the last alerts are on their way to our reader
