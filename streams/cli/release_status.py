"""`kdsl release status`: which release every worker runs, as `workers.status` says."""

import asyncio
from collections import Counter
from collections.abc import Sequence
from typing import Annotated

import typer

from rule_store import Activation, TrustStore
from streams.brief import ago, brief
from streams.cli.options import Bootstrap, Prefix
from streams.cli.release_options import TrustOption, trusted
from streams.cli.terminal import counted, printable, put_json, say, stdout
from streams.cli.worker_table import sentences, worker_table
from streams.cluster import Cluster
from streams.codec import decode_status, status_fields
from streams.errors import InvalidRecord
from streams.events import WorkerStatus
from streams.kafka import read_topic
from streams.publishing import KafkaReleaseTopic
from streams.role import system_now_ms
from streams.settings import load_settings
from streams.statuses import Worker, deserted, followers, weigh
from streams.topics import topic_name


def status(
    bootstrap: Bootstrap = None,
    prefix: Prefix = None,
    trust: TrustOption = None,
    show_all: Annotated[
        bool, typer.Option("--all", help="Also workers that stopped or fell silent.")
    ] = False,
    expect_all: Annotated[
        bool,
        typer.Option(
            "--expect-all",
            help="End with 1 when a live worker runs another release or lacks its shadow, and when "
            "there is none.",
        ),
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
        _print(activations, live, shown, now_ms=now_ms)
    _say_lacking("run the active release", [each for each in live if each.differs], live)
    _say_lacking("evaluate its shadow", [each for each in live if each.missing_shadow], live)
    alone = deserted(activations, live)
    for each in alone:
        say(
            f"no live worker is to run what was activated last for {each.domain}: start workers "
            f"whose pack has the labels {brief(each.labels_digest)}, with `kdsl worker`"
        )
    astray = any(each.differs or each.missing_shadow for each in live)
    if expect_all and (astray or alone or not activations):
        raise typer.Exit(1)


def _say_lacking(what: str, lacking: Sequence[Worker], live: Sequence[Worker]) -> None:
    if lacking:
        names = ", ".join(each.status.worker for each in lacking)
        say(f"{len(lacking)} of {len(live)} live workers do not {what}: {names}")


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


def _print(
    activations: Sequence[Activation],
    live: Sequence[Worker],
    shown: Sequence[Worker],
    *,
    now_ms: int,
) -> None:
    lines = Counter(each.domain for each in activations)
    for each in activations:
        labels = f", labels {brief(each.labels_digest)}" * (lines[each.domain] > 1)
        say(
            f"active for {each.domain}: {each.digest} (sequence {each.sequence}, by {each.by}, "
            f"{ago(now_ms - each.at_ms)}{labels}): {_run_by(each, live)}"
        )
        if each.shadow is not None:
            say(f"its shadow: {each.shadow}, without effect; see `kdsl release shadow`")
    if not activations:
        say("no release is active: run `kdsl release activate DIGEST`")
    if not shown:
        say("no worker is live: start some with `kdsl worker`; --all lists those that are gone")
        return
    stdout().print(worker_table(shown, now_ms=now_ms))
    for worker in shown:
        for line in sentences(worker, now_ms=now_ms):
            stdout().print(printable(line), soft_wrap=True)


def _run_by(activation: Activation, live: Sequence[Worker]) -> str:
    own = followers(activation, live)
    if not own:
        return "no live worker has these labels"
    running = sum(not each.differs for each in own)
    return f"run by {running} of {counted(len(own), 'live worker')}"
