"""`kdsl dead-letters`: list, show and redrive what could not be processed."""

import asyncio
from collections import Counter
from contextlib import aclosing
from datetime import UTC, datetime
from typing import Annotated, Any

import typer
from rich.table import Table

from streams.cli.options import Bootstrap, FromBeginning, Json, Prefix
from streams.cli.terminal import counted, parse_time, printable, put_json, say, stdout
from streams.errors import InvalidRecord
from streams.events import DeadLetter
from streams.kafka import open_producer
from streams.redriving import read_dead_letters, redrive
from streams.role import system_now_ms
from streams.settings import Settings, load_settings

app = typer.Typer(
    no_args_is_help=True, help="List, show and send in again what could not be processed."
)

Reason = Annotated[str | None, typer.Option(help="Only those of this reason.")]


@app.command("list")
def list_(
    bootstrap: Bootstrap = None,
    prefix: Prefix = None,
    reason: Reason = None,
    since: FromBeginning = None,
    as_json: Json = False,
) -> None:
    """List dead letters with their reason and origin."""
    settings = load_settings({"bootstrap": bootstrap, "prefix": prefix})
    asyncio.run(_list(settings, reason, parse_time(since, now_ms=system_now_ms()), as_json))


async def _list(settings: Settings, reason: str | None, from_ms: int | None, as_json: bool) -> None:
    table = Table("letter", "failed at (UTC)", "reason", "detail", "origin", "attempts")
    reasons: Counter[str] = Counter()
    async for partition, offset, letter in read_dead_letters(
        settings.cluster, prefix=settings.prefix, reason=reason, from_ms=from_ms
    ):
        reasons[letter.reason] += 1
        if as_json:
            put_json({"letter": f"{partition}:{offset}", **_fields(letter)})
        else:
            table.add_row(
                f"{partition}:{offset}",
                f"{datetime.fromtimestamp(letter.failed_at_ms / 1000, UTC):%Y-%m-%d %H:%M:%S}",
                printable(letter.reason),
                printable(letter.detail),
                f"{printable(letter.topic)}[{letter.partition}]@{letter.offset}",
                str(letter.attempts),
            )
    if not as_json:
        if reasons:
            stdout().print(table)
        say(", ".join(f"{count} {name}" for name, count in reasons.most_common()) or "none")


@app.command("show")
def show(
    letter: Annotated[str, typer.Argument(help="As `list` names it: PARTITION:OFFSET.")],
    bootstrap: Bootstrap = None,
    prefix: Prefix = None,
    raw: Annotated[
        bool, typer.Option("--raw", help="The original bytes alone, to standard output.")
    ] = False,
) -> None:
    """Show one dead letter; its original bytes only with --raw, since they may hold chat text."""
    settings = load_settings({"bootstrap": bootstrap, "prefix": prefix})
    found = asyncio.run(_find(settings, letter))
    if found is None:
        say(f"no dead letter {letter}; `kdsl dead-letters list` names them")
        raise typer.Exit(1)
    if raw:
        typer.echo(found.record or b"", nl=False)
    else:
        put_json(_fields(found))


async def _find(settings: Settings, name: str) -> DeadLetter | None:
    letters = read_dead_letters(settings.cluster, prefix=settings.prefix, reason=None, from_ms=None)
    async with aclosing(letters):
        async for partition, offset, letter in letters:
            if f"{partition}:{offset}" == name:
                return letter
    return None


@app.command("redrive")
def redrive_(
    bootstrap: Bootstrap = None,
    prefix: Prefix = None,
    reason: Reason = None,
    since: FromBeginning = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what would be sent, and send nothing.")
    ] = False,
) -> None:
    """Send the originals of dead letters back to where they came from."""
    settings = load_settings({"bootstrap": bootstrap, "prefix": prefix})
    from_ms = parse_time(since, now_ms=system_now_ms())
    sent, cut = asyncio.run(_redrive(settings, reason, from_ms, dry_run))
    say(f"{'would send' if dry_run else 'sent'} {counted(sent, 'original')}")
    if cut:
        say(f"{cut} could not be sent: their originals were cut")
        raise typer.Exit(1)


async def _redrive(
    settings: Settings, reason: str | None, from_ms: int | None, dry_run: bool
) -> tuple[int, int]:
    """How many originals were sent, and how many could not be."""
    sent = cut = 0
    letters = read_dead_letters(
        settings.cluster, prefix=settings.prefix, reason=reason, from_ms=from_ms
    )
    async with open_producer(settings.cluster) as producer:
        async for partition, offset, letter in letters:
            try:
                if not dry_run:
                    await redrive(letter, producer, prefix=settings.prefix)
                elif letter.cut:
                    raise InvalidRecord("cut")
                sent += 1
            except InvalidRecord as error:
                cut += 1
                say(f"{partition}:{offset}: {error.detail}")
    return sent, cut


def _fields(letter: DeadLetter) -> dict[str, Any]:
    """What is safe to print: everything but the original's bytes."""
    hidden = ("record", "key")
    return {name: getattr(letter, name) for name in DeadLetter.__slots__ if name not in hidden} | {
        "key": letter.key.decode(errors="replace") if letter.key is not None else None
    }
