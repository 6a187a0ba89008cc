"""Tables of what a release holds."""

from datetime import UTC, datetime

from rich.table import Table

from rule_store import Release, print_literal
from streams.cli.terminal import printable, stdout


def print_tasks(release: Release) -> None:
    """What each task is decided with."""
    table = Table("task", "labels", "rules", "fitted rules", "answer at", "fuse at", "λ", "weights")
    for name, task in release.tasks.items():
        table.add_row(
            printable(name),
            str(len(task.labels)),
            str(len(task.rules)),
            str(sum(known.fitted for known in task.reliability.values())),
            f"{task.answer_at:g}",
            f"{task.fuse_at:g}",
            f"{task.vote_weight:g}",
            "defaults" if task.defaults else "fitted",
        )
    stdout().print(table)


def print_rules_of(release: Release) -> None:
    """Every rule with its id and how far it is believed."""
    table = Table("rule", "reliability", "when", "then")
    for task in release.tasks.values():
        for rule in task.rules:
            known = task.reliability[rule.id]
            table.add_row(
                rule.id,
                f"{known.value:g} {'fitted' if known.fitted else 'assumed'}",
                printable(" and ".join(map(print_literal, rule.body))),
                printable(rule.label),
            )
    stdout().print(table)


def moment(at_ms: int) -> str:
    """A moment in UTC, to the minute.

    >>> moment(0)
    '1970-01-01 00:00'
    """
    return datetime.fromtimestamp(at_ms / 1000, tz=UTC).strftime("%Y-%m-%d %H:%M")
