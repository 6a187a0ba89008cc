"""`kdsl send`: dialogues from a file into the stream."""

import asyncio
from pathlib import Path
from typing import Annotated

import typer

from streams.cli.choices import one_view
from streams.cli.options import Bootstrap, DomainName, Prefix, ViewOption
from streams.cli.terminal import counted, progress, say, say_notes, stderr
from streams.datasets import View, read_examples
from streams.domain import load_domain
from streams.kafka import open_producer
from streams.preflight import check_writable
from streams.role import system_now_ms
from streams.sending import send_events
from streams.settings import Settings, load_settings


def send(
    source: Annotated[
        Path, typer.Argument(metavar="FILE|DATASET", help="A .jsonl, a folder, or - for stdin.")
    ],
    bootstrap: Bootstrap = None,
    prefix: Prefix = None,
    domain: DomainName = None,
    rate: Annotated[
        float | None, typer.Option(min=0.001, help="Events a second. (default: as fast as it goes)")
    ] = None,
    view: ViewOption = None,
) -> None:
    """Send dialogues to dialogue.events; too large images are recompressed, or refused by name.

    Lines without sent_at_ms are stamped with the present time.
    """
    settings = load_settings({"bootstrap": bootstrap, "prefix": prefix, "domain": domain})
    count = asyncio.run(_send(source, one_view(view, default="live"), rate, settings))
    say(f"sent {counted(count, 'event')} to {settings.bootstrap}; see their tags with `kdsl watch`")


async def _send(source: Path, view: View, rate: float | None, settings: Settings) -> int:
    name = load_domain(settings.domain).name
    await check_writable(settings.cluster, prefix=settings.prefix, kind="events")
    examples = map(say_notes, read_examples(source, domain=name, view=view, now_ms=system_now_ms()))
    count = 0
    with progress(stderr()) as bar:
        line = bar.add_task("sending", total=None)
        async with open_producer(settings.cluster) as producer:
            async for _ in send_events(examples, producer, prefix=settings.prefix, rate=rate):
                count += 1
                bar.advance(line)
    return count
