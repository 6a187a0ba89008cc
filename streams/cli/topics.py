"""`kdsl topics`: create and show the topics on any cluster."""

import asyncio
from typing import Annotated

import typer
from rich.table import Column, Table

from streams.cli.options import Bootstrap, Prefix
from streams.cli.terminal import say, stdout
from streams.kafka import create_topics, topic_partitions
from streams.settings import load_settings
from streams.topics import TOPICS, topic_name

app = typer.Typer(no_args_is_help=True, help="Create and show the topics on a cluster.")

_DAY_MS = 24 * 60 * 60 * 1000


@app.command("create")
def create(
    bootstrap: Bootstrap = None,
    prefix: Prefix = None,
    partitions: Annotated[int, typer.Option(min=1, help="Partitions of each topic.")] = 4,
    replication: Annotated[int, typer.Option(min=1, help="Copies of each partition.")] = 1,
) -> None:
    """Create the topics that do not exist yet, with their limits."""
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


@app.command("show")
def show(bootstrap: Bootstrap = None, prefix: Prefix = None) -> None:
    """Show the topics, their partitions and limits, and which are missing."""
    settings = load_settings({"bootstrap": bootstrap, "prefix": prefix})
    names = {kind: topic_name(kind, prefix=settings.prefix) for kind in TOPICS}
    there = asyncio.run(topic_partitions(settings.cluster, names.values()))
    table = Table(Column("topic", no_wrap=True), "partitions", "holds", "kept", "largest value")
    for kind, topic in TOPICS.items():
        kept = "compacted" if topic.retention_ms is None else f"{topic.retention_ms // _DAY_MS} d"
        table.add_row(
            names[kind],
            str(there.get(names[kind], "missing")),
            topic.value,
            kept,
            f"{topic.record_bytes // 1024} KiB",
        )
    stdout().print(table)
    if len(there) < len(names):
        raise typer.Exit(1)
