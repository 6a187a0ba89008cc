"""`kdsl release shadow`: what a release evaluated without effect would have said."""

import asyncio
from collections.abc import Iterator
from typing import Annotated, Any

import typer
from rich.table import Column, Table

from streams.cli.options import Bootstrap, FromBeginning, Prefix
from streams.cli.release_status import ago, short
from streams.cli.terminal import counted, parse_time, printable, put_json, say, stdout
from streams.cluster import Cluster
from streams.codec import decode_shadow, shadow_fields
from streams.comparisons import Comparison, Comparisons, Flip, agreement, flips_by_label
from streams.errors import InvalidRecord
from streams.kafka import read_topic
from streams.role import system_now_ms
from streams.settings import load_settings
from streams.shadow_records import ShadowAnswer, ShadowDifference
from streams.topics import topic_name

_FLIPS = 20
_NO_LABEL = "(none)"


def shadow(
    bootstrap: Bootstrap = None,
    prefix: Prefix = None,
    domain: Annotated[str | None, typer.Option(help="Only of this domain.")] = None,
    since: FromBeginning = None,
    show_all: Annotated[
        bool, typer.Option("--all", help="Every pair of releases, not only the latest of a domain.")
    ] = False,
    differences: Annotated[
        int, typer.Option(min=0, max=1000, help="Show so many of the newest differences too.")
    ] = 0,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object.")] = False,
) -> None:
    """Show how often the shadow release agrees with the one in force, and where it does not.

    Start one with `kdsl release activate NAME --shadow OTHER`.
    """
    settings = load_settings({"bootstrap": bootstrap, "prefix": prefix})
    from_ms = parse_time(since, now_ms=system_now_ms())
    topic = topic_name("shadow", prefix=settings.prefix)
    found = asyncio.run(_read(settings.cluster, topic, from_ms, keep=differences))
    wanted = [each for each in found if domain is None or each.domain == domain]
    chosen = wanted if show_all else list({each.domain: each for each in wanted}.values())
    if as_json:
        put_json({"comparisons": [_json(each) for each in chosen]})
        return
    for each in chosen:
        _print(each)
    if not chosen:
        say(
            f"nothing in {topic} yet: workers write there once a release was activated with "
            "`kdsl release activate NAME --shadow OTHER`, as often as they tell their status"
        )


async def _read(
    cluster: Cluster, topic: str, from_ms: int | None, *, keep: int
) -> list[Comparison]:
    comparisons = Comparisons(keep=keep)
    async for record in read_topic(cluster, topic, from_ms=from_ms):
        try:
            comparisons.note(decode_shadow(record.value or b""))
        except InvalidRecord as error:
            say(f"{topic}[{record.partition}]@{record.offset} passed over: {error.detail}")
    return comparisons.all()


def _json(comparison: Comparison) -> dict[str, Any]:
    return {
        "domain": comparison.domain,
        "active": comparison.active,
        "shadow": comparison.shadow,
        "latest_ms": comparison.latest_ms,
        "workers": sorted(comparison.workers),
        "tasks": [
            {
                "task": tally.task,
                "same": tally.same,
                "differs": tally.differs,
                "open": tally.open,
                "skipped": tally.skipped,
                "agreement": agreement(tally),
            }
            for tally in comparison.tallies.values()
        ],
        "flips": [
            {
                "task": flip.task,
                "active": flip.answered,
                "shadow": flip.instead,
                "open": flip.left_open,
                "count": count,
            }
            for flip, count in comparison.flips.most_common()
        ],
        "differences": [shadow_fields(each) for each in comparison.newest],
    }


def _print(comparison: Comparison) -> None:
    say(
        f"{comparison.domain}: {short(comparison.active)} in force, {short(comparison.shadow)} in "
        f"shadow, told by {counted(len(comparison.workers), 'worker')}, last "
        f"{ago(system_now_ms() - comparison.latest_ms)}"
    )
    stdout().print(_tally_table(comparison))
    if comparison.flips:
        stdout().print(_flip_table(comparison))
    for difference in comparison.newest:
        stdout().print(printable(_told(difference)), soft_wrap=True)


def _tally_table(comparison: Comparison) -> Table:
    names = ("agreement", "same", "differs", "left open", "skipped")
    table = Table("task", *(Column(name, justify="right") for name in names))
    for tally in comparison.tallies.values():
        share = agreement(tally)
        table.add_row(
            printable(tally.task),
            "-" if share is None else f"{share:.1%}",
            *map(str, (tally.same, tally.differs, tally.open, tally.skipped)),
        )
    return table


def _flip_table(comparison: Comparison) -> Table:
    table = Table("task", "in force", "in shadow", Column("times", justify="right"))
    rows = list(_flips(comparison))
    for flip, count in rows[:_FLIPS]:
        instead = "(left open)" if flip.left_open else flip.instead or _NO_LABEL
        row = (flip.task, flip.answered or _NO_LABEL, instead)
        table.add_row(*map(printable, row), str(count))
    if len(rows) > _FLIPS:
        table.caption = f"{len(rows) - _FLIPS} more kinds with --json"
    return table


def _flips(comparison: Comparison) -> Iterator[tuple[Flip, int]]:
    for group in flips_by_label(comparison).values():
        yield from group


def _told(difference: ShadowDifference) -> str:
    about = f"{difference.task} {difference.image_id or ''}".strip()
    instead = difference.instead
    other = f"open ({difference.open_reason})" if instead is None else _answer(instead)
    return (
        f"{difference.dialogue_id} event {difference.event_id} {about}: "
        f"{_answer(difference.answered)} -> {other}"
    )


def _answer(answer: ShadowAnswer) -> str:
    label = answer.label or f"{_NO_LABEL} {answer.reason or ''}".strip()
    rules = f" by {', '.join(answer.rules)}" if answer.rules else ""
    return f"{label} {answer.confidence:.2f} {answer.source}{rules}"
