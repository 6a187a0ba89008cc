"""Tables of what a release holds."""

from datetime import UTC, datetime

from rich.box import HEAVY_HEAD
from rich.table import Column

from rule_store import Release, print_body, reading_order
from streams.cli.tables import print_table, text_column


def print_tasks(release: Release) -> None:
    """What each task is decided with."""
    names = ("task", "labels", "rules", "fitted rules", "answer at", "fuse at", "λ", "weights")
    rows = [
        (
            name,
            str(len(task.labels)),
            str(len(task.rules)),
            str(sum(known.fitted for known in task.reliability.values())),
            f"{task.answer_at:g}",
            f"{task.fuse_at:g}",
            f"{task.vote_weight:g}",
            "defaults" if task.defaults else "fitted",
        )
        for name, task in release.tasks.items()
    ]
    print_table([Column(name) for name in names], rows, box=HEAVY_HEAD)


def print_rules_of(release: Release) -> None:
    """Every rule with its id and how far it is believed."""
    columns = (Column("rule"), Column("reliability"), text_column("when"), Column("then"))
    rows = [
        (
            rule.id,
            f"{task.reliability[rule.id].value:g} "
            f"{'fitted' if task.reliability[rule.id].fitted else 'assumed'}",
            print_body(reading_order(rule.body)),
            rule.label,
        )
        for task in release.tasks.values()
        for rule in task.rules
    ]
    print_table(columns, rows, box=HEAVY_HEAD)


def moment(at_ms: int) -> str:
    """A moment in UTC, to the minute.

    >>> moment(0)
    '1970-01-01 00:00'
    """
    return datetime.fromtimestamp(at_ms / 1000, tz=UTC).strftime("%Y-%m-%d %H:%M")
