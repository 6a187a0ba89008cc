"""`kdsl watch`: tags or alerts as they arrive."""

import asyncio
import contextlib
from contextlib import aclosing
from typing import Annotated

import typer

from streams.cli.options import Bootstrap, FromNow, Json, Prefix
from streams.cli.terminal import parse_time, printable, put_json, say, stdout
from streams.cluster import Cluster
from streams.codec import alert_fields, decode_alert, decode_tag, tag_fields
from streams.errors import InvalidRecord
from streams.events import Alert, Tag
from streams.kafka import follow_topic
from streams.newest import NewestTags
from streams.records import Record
from streams.role import system_now_ms
from streams.settings import load_settings
from streams.topics import topic_name


def watch(
    bootstrap: Bootstrap = None,
    prefix: Prefix = None,
    alerts: Annotated[bool, typer.Option("--alerts", help="Alerts instead of tags.")] = False,
    since: FromNow = None,
    count: Annotated[
        int | None, typer.Option(min=1, help="End after so many; without, Ctrl-C ends it.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Show tags (or alerts) as they arrive, without those older than the newest seen."""
    settings = load_settings({"bootstrap": bootstrap, "prefix": prefix})
    topic = topic_name("alerts" if alerts else "tags", prefix=settings.prefix)
    from_ms = parse_time(since, now_ms=system_now_ms())
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(_watch(settings.cluster, topic, alerts, from_ms, count, as_json))


async def _watch(
    cluster: Cluster,
    topic: str,
    alerts: bool,
    from_ms: int | None,
    count: int | None,
    as_json: bool,
) -> None:
    newest = NewestTags()
    shown = 0
    async with aclosing(follow_topic(cluster, topic, from_ms=from_ms)) as records:
        async for record in records:
            try:
                shown += (
                    _show_alert(record, as_json) if alerts else _show_tag(record, newest, as_json)
                )
            except InvalidRecord as error:
                say(f"{topic}[{record.partition}]@{record.offset} passed over: {error.detail}")
            if count is not None and shown >= count:
                return


def _show_tag(record: Record, newest: NewestTags, as_json: bool) -> bool:
    tag = decode_tag(record.value or b"")
    if not newest.accept(tag):
        return False
    if as_json:
        put_json(tag_fields(tag))
    else:
        stdout().print(printable(_tag_line(tag)), soft_wrap=True)
    return True


def _show_alert(record: Record, as_json: bool) -> bool:
    alert = decode_alert(record.value or b"")
    if as_json:
        put_json(alert_fields(alert))
    else:
        stdout().print(printable(_alert_line(alert)), soft_wrap=True)
    return True


def _tag_line(tag: Tag) -> str:
    what = tag.label or f"abstained ({tag.reason})"
    image = f" {tag.image_id}" if tag.image_id else ""
    return f"{tag.dialogue_id}{image}  {tag.task}: {what}  {tag.confidence:.2f} by {tag.source}"


def _alert_line(alert: Alert) -> str:
    return (
        f"{alert.dialogue_id}  {alert.policy}: {alert.task} {alert.label} "
        f"{alert.confidence:.2f}  alert {alert.alert_id}"
    )
