"""`kdsl release status`: which release every worker runs, as `workers.status` says."""

import asyncio
from collections.abc import Iterator, Sequence
from typing import Annotated

import typer
from rich.box import SIMPLE_HEAD
from rich.table import Column, Table

from rule_store import Activation, TrustStore
from streams.cli.options import Bootstrap, Prefix
from streams.cli.release_options import TrustOption, trusted
from streams.cli.terminal import printable, put_json, say, stdout
from streams.cluster import Cluster
from streams.codec import decode_status, status_fields
from streams.errors import InvalidRecord
from streams.events import WorkerStatus
from streams.kafka import read_topic
from streams.publishing import KafkaReleaseTopic
from streams.role import system_now_ms
from streams.settings import load_settings
from streams.statuses import Worker, weigh
from streams.topics import topic_name

_SHORT_CHARS = 12
_AGES = (("s", 1, 120), ("min", 60, 7200), ("h", 3600, 172_800))


def status(
    bootstrap: Bootstrap = None,
    prefix: Prefix = None,
    trust: TrustOption = None,
    show_all: Annotated[
        bool, typer.Option("--all", help="Also workers that stopped or fell silent.")
    ] = False,
    expect_all: Annotated[
        bool,
        typer.Option("--expect-all", help="End with 1 when a worker runs another release."),
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object.")] = False,
) -> None:
    """Show which release is active, and which one every worker runs, since when, and how.

    With a trust store, activations that none of its keys signed do not count.
    """
    settings = load_settings({"bootstrap": bootstrap, "prefix": prefix, "trust": trust})
    active, statuses = asyncio.run(_read(settings.cluster, settings.prefix, trusted(settings)))
    now_ms = system_now_ms()
    workers = weigh(statuses, active, now_ms=now_ms)
    live = [worker for worker in workers if not worker.gone]
    shown = workers if show_all else live
    activations = list(active.values())
    if as_json:
        put_json(_json(activations, shown))
    else:
        _print(activations, shown, now_ms=now_ms)
    differing = [worker.status.worker for worker in live if worker.differs]
    if differing:
        say(
            f"{len(differing)} of {len(live)} live workers do not run the active release: "
            + ", ".join(differing)
        )
    if expect_all and differing:
        raise typer.Exit(1)


async def _read(
    cluster: Cluster, prefix: str, trust: TrustStore | None
) -> tuple[dict[str, Activation], list[WorkerStatus]]:
    published = await KafkaReleaseTopic(cluster, prefix=prefix).read(trust)
    for each in published.passed_over:
        say(f"{topic_name('releases', prefix=prefix)}@{each.offset} passed over: {each.why}")
    statuses = await _read_statuses(cluster, topic_name("status", prefix=prefix))
    return {key: each.activation for key, each in published.in_force.items()}, statuses


async def _read_statuses(cluster: Cluster, topic: str) -> list[WorkerStatus]:
    found = []
    async for record in read_topic(cluster, topic):
        try:
            found.append(decode_status(record.value or b""))
        except InvalidRecord as error:
            say(f"{topic}@{record.offset} passed over: {error.detail}")
    return found


def _json(activations: Sequence[Activation], workers: Sequence[Worker]) -> dict[str, object]:
    return {
        "active": [
            {
                "domain": activation.domain,
                "labels_digest": activation.labels_digest,
                "digest": activation.digest,
                "shadow": activation.shadow,
                "sequence": activation.sequence,
                "by": activation.by,
                "at_ms": activation.at_ms,
            }
            for activation in activations
        ],
        "workers": [
            {
                **status_fields(worker.status),
                "gone": worker.gone,
                "active": worker.wanted,
                "differs": worker.differs,
                "missing_shadow": worker.missing_shadow,
            }
            for worker in workers
        ],
    }


def _print(activations: Sequence[Activation], workers: Sequence[Worker], *, now_ms: int) -> None:
    for each in activations:
        say(
            f"active for {each.domain}: {each.digest} (sequence {each.sequence}, by {each.by}, "
            f"{ago(now_ms - each.at_ms)})"
        )
        if each.shadow is not None:
            say(f"its shadow: {each.shadow}, without effect; see `kdsl release shadow`")
    if not activations:
        say("no release is active: run `kdsl release activate FILE`")
    shadows = any(worker.active is not None and worker.active.shadow for worker in workers)
    names = ("worker", "role", "domain", "release", "no.", "since", "ready", "lag", "refused")
    table = Table(*(Column(name, overflow="fold") for name in names), box=SIMPLE_HEAD)
    if shadows:
        table.add_column("shadow", overflow="fold")
    for worker in workers:
        row = [*_row(worker, now_ms=now_ms), *[_shadow(worker)] * shadows]
        table.add_row(*map(printable, row))
    stdout().print(table)
    for worker in workers:
        for line in _sentences(worker, now_ms=now_ms):
            stdout().print(printable(line), soft_wrap=True)


def _row(worker: Worker, *, now_ms: int) -> list[str]:
    status = worker.status
    running, refusal = status.in_force, status.refusal
    ready = "no" if status.obstacles else "yes"
    return [
        status.worker.removeprefix(f"{status.domain}-{status.role}-"),
        status.role,
        status.domain,
        f"{short(running.digest)}{' (not active)' * worker.differs}" if running else "none",
        str(running.sequence) if running else "-",
        ago(now_ms - running.since_ms) if running else "-",
        "gone" if worker.gone else ready,
        "-" if status.lag is None else str(status.lag),
        ago(now_ms - refusal.at_ms) if refusal else "-",
    ]


def _shadow(worker: Worker) -> str:
    running = worker.status.in_force
    if running is not None and running.shadow is not None:
        return "yes"
    return "no" if worker.missing_shadow else "-"


def _sentences(worker: Worker, *, now_ms: int) -> Iterator[str]:
    """What has no room in a table."""
    status = worker.status
    if worker.gone:
        last = "it stopped" if status.stopped else "its last word was"
        yield f"{status.worker}: {last} {ago(now_ms - status.at_ms)}"
    else:
        for obstacle in status.obstacles:
            yield f"{status.worker}: {obstacle}"
        if status.uses_fitted_weights is False:
            yield f"{status.worker}: its bundle is not the one that the release was fitted with"
    missing, refusal = None if worker.gone else worker.missing_shadow, status.refusal
    of_shadow = missing is not None and refusal is not None and refusal.digest == missing
    why = refusal.why if refusal is not None else ""
    if missing is not None:
        end = f": {why}" if of_shadow else " yet"
        yield f"{status.worker}: its shadow {short(missing)} is not evaluated{end}"
    if why and not of_shadow:
        yield f"{status.worker}: {why}"


def short(digest: str) -> str:
    """Enough of a digest to tell releases apart.

    >>> short("sha256:0123456789abcdef0123456789abcdef")
    '0123456789ab'
    """
    return digest.rpartition(":")[2][:_SHORT_CHARS]


def ago(age_ms: int) -> str:
    """How long ago, in the unit that fits.

    >>> ago(1500), ago(600_000), ago(90_000_000), ago(864_000_000)
    ('1 s ago', '10 min ago', '25 h ago', '10 d ago')
    """
    age_s = max(0, age_ms) // 1000
    for unit, seconds, below_s in _AGES:
        if age_s < below_s:
            return f"{age_s // seconds} {unit} ago"
    return f"{age_s // 86_400} d ago"
