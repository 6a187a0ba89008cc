"""How far mining is, and the best rules so far, for who looks at a terminal."""

from types import TracebackType
from typing import TYPE_CHECKING, Self

from rich.console import Console, Group
from rich.live import Live
from rich.progress import TaskID
from rich.table import Table
from rich.text import Text

from rule_store import Rule, print_body
from rule_store.printing import reading_order
from streams.cli.terminal import printable, progress

if TYPE_CHECKING:  # mining brings numpy and the search, which the other commands do without
    from streams.rule_mining import Step

_SHOWN = 8


class MiningProgress:
    """Draws a bar a task and a table of the best rules of the mining under way.

    The best cover the most examples rightly, less those that they cover wrongly: a training
    figure, good for watching and nothing else. Nothing is drawn when nobody looks.
    """

    def __init__(self, console: Console) -> None:
        self._bars = progress(console)
        self._of_task: dict[str, TaskID] = {}
        self._best: list[tuple[int, int, Rule]] = []
        self._live = Live(console=console, transient=True, refresh_per_second=4)
        self._drawn = console.is_terminal

    def __enter__(self) -> Self:
        if self._drawn:
            self._live.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._drawn:
            self._live.stop()

    def __call__(self, step: "Step") -> None:
        """Take note of a step."""
        if not self._drawn:
            return
        if step.task not in self._of_task:
            line = self._bars.add_task(f"mining {step.task}", total=step.minings)
            self._of_task[step.task] = line
        self._bars.update(self._of_task[step.task], completed=step.done)
        if step.mined is None:
            self._best = []
        else:
            found = zip(step.mined.right, step.mined.covered, step.mined.rules, strict=True)
            best = sorted([*self._best, *found], key=lambda each: each[1] - 2 * each[0])
            self._best = best[:_SHOWN]
        self._live.update(Group(self._bars, self._table()))

    def _table(self) -> Table:
        table = Table("best rules so far", "then", "right", "of", box=None)
        for right, covered, rule in self._best:
            body = print_body(reading_order(rule.body))
            cells = (body, rule.label, str(right), str(covered))
            table.add_row(*(Text(printable(cell)) for cell in cells))
        return table
