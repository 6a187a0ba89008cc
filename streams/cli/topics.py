"""`kdsl topics`: create and show the topics on any cluster."""

import asyncio
from collections.abc import Collection, Mapping
from typing import Annotated

import typer
from rich.table import Column, Table

from streams.cli.options import Bootstrap, Prefix
from streams.cli.terminal import say, stdout
from streams.found_topics import Difference, FoundTopic, differences, find_topics
from streams.kafka import create_topics
from streams.limits import LIMITS
from streams.settings import load_settings
from streams.topics import TOPICS, Topic, topic_name

app = typer.Typer(no_args_is_help=True, help="Create and show the topics on a cluster.")

_DAY_MS = 24 * 60 * 60 * 1000
_KIB = 1024
_POLICY, _RETENTION, _SIZE = "cleanup.policy", "retention.ms", "max.message.bytes"


@app.command("create")
def create(
    bootstrap: Bootstrap = None,
    prefix: Prefix = None,
    partitions: Annotated[int, typer.Option(min=1, help="Partitions of each topic.")] = 4,
    replication: Annotated[int, typer.Option(min=1, help="Copies of each partition.")] = 1,
) -> None:
    """Create the topics that do not exist yet, with their limits; say which others differ."""
    settings = load_settings({"bootstrap": bootstrap, "prefix": prefix})
    made = asyncio.run(
        create_topics(
            settings.cluster,
            prefix=settings.prefix,
            partitions=partitions,
            replication=replication,
        )
    )
    say(f"created {', '.join(made)}" if made else "all topics exist already")
    others = _topics(settings.prefix, without=made)
    found = asyncio.run(find_topics(settings.cluster, others)) if others else {}
    _say_differences(others, found, partitions=partitions)


@app.command("show")
def show(bootstrap: Bootstrap = None, prefix: Prefix = None) -> None:
    """Show the topics as they stand on the cluster, which are missing and where they differ."""
    settings = load_settings({"bootstrap": bootstrap, "prefix": prefix})
    topics = _topics(settings.prefix)
    found = asyncio.run(find_topics(settings.cluster, topics))
    table = Table(
        Column("topic", no_wrap=True), "partitions", "holds", "kept", "largest value", "differs"
    )
    for name, topic in topics.items():
        there = found.get(name)
        if there is None:
            table.add_row(name, "missing", topic.value, "", "", "")
        else:
            other = differences(topic, there, partitions=settings.partitions)
            table.add_row(name, *_row(topic, there, other))
    stdout().print(table)
    _say_differences(topics, found, partitions=settings.partitions)
    if len(found) < len(topics):
        raise typer.Exit(1)


def _topics(prefix: str, *, without: Collection[str] = ()) -> dict[str, Topic]:
    named = {topic_name(kind, prefix=prefix): topic for kind, topic in TOPICS.items()}
    return {name: topic for name, topic in named.items() if name not in without}


def _row(topic: Topic, there: FoundTopic, other: Collection[Difference]) -> tuple[str, ...]:
    kept, largest = "?", "?"
    if there.config:
        kept = _kept(there.config)
        largest_bytes = int(there.config[_SIZE]) - LIMITS.record_overhead_bytes
        largest = f"{max(0, largest_bytes) // _KIB} KiB"
    return str(there.partitions), topic.value, kept, largest, "yes" if other else ""


def _kept(config: Mapping[str, str]) -> str:
    """How long a topic keeps its records.

    >>> _kept({"cleanup.policy": "compact,delete", "retention.ms": "604800000"})
    'compacted, 7 d'
    """
    policies = config[_POLICY].split(",")
    kept = ["compacted"] if "compact" in policies else []
    if "delete" in policies:
        retention_ms = int(config[_RETENTION])
        kept.append("for ever" if retention_ms < 0 else f"{retention_ms / _DAY_MS:.3g} d")
    return ", ".join(kept)


def _say_differences(
    topics: Mapping[str, Topic], found: Mapping[str, FoundTopic], *, partitions: int
) -> None:
    """Nothing is altered: to raise partitions moves keys, to lower a limit may lose records."""
    differ = False
    for name, topic in topics.items():
        if name in found and (other := differences(topic, found[name], partitions=partitions)):
            say(f"{name} has {', '.join(map(str, other))}")
            differ = True
    if differ:
        say(
            "they are left as they are: change limits with Kafka's kafka-configs.sh; for other "
            "partitions delete the topic, and with it its records, and create it again"
        )
