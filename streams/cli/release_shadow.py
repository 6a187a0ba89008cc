"""`kdsl release shadow`: what a release evaluated without effect would have said."""

import asyncio
from collections.abc import Iterator
from typing import Annotated, Any

import typer
from rich.table import Column, Table

from streams.brief import ago, brief
from streams.cli.options import Bootstrap, FromBeginning, Prefix
from streams.cli.release_options import TrustOption, trusted
from streams.cli.terminal import counted, parse_time, printable, put_json, say, stdout
from streams.codec import decode_shadow, shadow_fields
from streams.comparisons import (
    Comparison,
    Comparisons,
    Flip,
    Pair,
    agreement,
    flips_by_label,
)
from streams.errors import InvalidRecord
from streams.kafka import read_topic
from streams.publishing import KafkaReleaseTopic
from streams.role import system_now_ms
from streams.settings import Settings, load_settings
from streams.shadow_records import NO_LABEL, ShadowAnswer, ShadowDifference
from streams.topics import topic_name

_FLIPS = 20


def shadow(
    bootstrap: Bootstrap = None,
    prefix: Prefix = None,
    trust: TrustOption = None,
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

    Start one with `kdsl release activate DIGEST --shadow OTHER`.
    """
    settings = load_settings({"bootstrap": bootstrap, "prefix": prefix, "trust": trust})
    from_ms = parse_time(since, now_ms=system_now_ms())
    topic = topic_name("shadow", prefix=settings.prefix)
    now, found = asyncio.run(_read(settings, topic, from_ms, keep=differences))
    wanted = [each for each in found if domain is None or each.domain == domain]
    chosen = wanted if show_all else list({each.domain: each for each in wanted}.values())
    if as_json:
        put_json({"comparisons": [_json(each, ended=each.pair not in now) for each in chosen]})
        return
    for each in chosen:
        _print(each, ended=each.pair not in now)
    for name, active, shadow in sorted(now - {each.pair for each in wanted}):
        if domain in (None, name):
            say(
                f"{name}: {brief(active)} in force, {brief(shadow)} in shadow: no worker has told "
                "of it yet; who evaluates it shows `kdsl release status`"
            )
    if not chosen and not now:
        say(
            f"nothing in {topic}: workers write there once a release was activated with "
            "`kdsl release activate DIGEST --shadow OTHER`"
        )


async def _read(
    settings: Settings, topic: str, from_ms: int | None, *, keep: int
) -> tuple[set[Pair], list[Comparison]]:
    """The pairs that are compared now, and what was told of any."""
    releases = KafkaReleaseTopic(settings.cluster, prefix=settings.prefix)
    published = await releases.read(trusted(settings))
    activations = [each.activation for each in published.in_force.values()]
    now = {(each.domain, each.digest, each.shadow) for each in activations if each.shadow}
    comparisons = Comparisons(keep=keep)
    async for record in read_topic(settings.cluster, topic, from_ms=from_ms):
        try:
            comparisons.note(decode_shadow(record.value or b""))
        except InvalidRecord as error:
            say(f"{topic}[{record.partition}]@{record.offset} passed over: {error.detail}")
    return now, comparisons.all()


def _json(comparison: Comparison, *, ended: bool) -> dict[str, Any]:
    return {
        "domain": comparison.domain,
        "active": comparison.active,
        "shadow": comparison.shadow,
        "ended": ended,
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


def _print(comparison: Comparison, *, ended: bool) -> None:
    say(
        f"{comparison.domain}: {brief(comparison.active)} in force, {brief(comparison.shadow)} in "
        f"shadow{' (ended)' * ended}, told by {counted(len(comparison.workers), 'worker')}, last "
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
        compared = tally.same + tally.differs + tally.open
        table.add_row(
            printable(tally.task),
            _share(agreement(tally)),
            str(tally.same),
            str(tally.differs),
            f"{tally.open} ({_share(tally.open / compared if compared else None)})",
            str(tally.skipped),
        )
    return table


def _share(share: float | None) -> str:
    return "-" if share is None else f"{share:.1%}"


def _flip_table(comparison: Comparison) -> Table:
    table = Table("task", "in force", "in shadow", Column("times", justify="right"))
    rows = list(_flips(comparison))
    for flip, count in rows[:_FLIPS]:
        instead = "(left open)" if flip.left_open else flip.instead or NO_LABEL
        row = (flip.task, flip.answered or NO_LABEL, instead)
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
    other = f"(left open: {difference.open_reason})" if instead is None else _answer(instead)
    return (
        f"dialogue {difference.dialogue_id}, event {difference.event_id}, {about}: "
        f"{_answer(difference.answered)} -> {other}"
    )


def _answer(answer: ShadowAnswer) -> str:
    label = answer.label or f"{NO_LABEL} {answer.reason or ''}".strip()
    rules = f" by {', '.join(answer.rules)}" if answer.rules else ""
    return f"{label} {answer.confidence:.2f} {answer.source}{rules}"
