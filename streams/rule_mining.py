"""Labelled questions → mined rules of every task, with honest reliabilities."""

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace

from rule_store.mining.checks import check_examples
from rule_store.mining.held_out import HeldOutSettings, find_by_fold
from rule_store.mining.mined import Mined, judge
from rule_store.mining.miner import Effort, LabelMined, Miner, Mining
from rule_store.mining.miner_settings import MinerSettings
from rule_store.mining.table import LabelledEvidence
from rule_store.rules import Rule
from streams.domain import Domain, Task
from streams.errors import DatasetError
from streams.labelled import LabelledQuestion
from streams.mining_checkpoint import Checkpoint, mining_digest


@dataclass(frozen=True, slots=True, kw_only=True)
class MiningSettings:
    """How the rules of a domain are mined.

    miner: for each mining; its own budget is not used.
    held_out: which examples are held out, and which rules are kept.
    budget_s: most wall-clock time of all minings together; None lets the iterations end them.
    """

    miner: MinerSettings = field(default_factory=MinerSettings)
    held_out: HeldOutSettings = field(default_factory=HeldOutSettings)
    budget_s: float | None = None

    @property
    def minings(self) -> int:
        """How many a task needs: one without each fold, and one of all examples."""
        return self.held_out.folds + 1


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskExamples:
    """The examples of a task that can be mined.

    messages: what is wrong with the others, and what to do about it.
    """

    task: Task
    examples: tuple[LabelledEvidence, ...]
    messages: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class MinedTask:
    """What mining made of a task.

    efforts: of the mining of all examples, label by label.
    """

    given: TaskExamples
    mined: Mined
    efforts: tuple[Effort, ...]

    @property
    def name(self) -> str:
        return self.given.task.name


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """Where mining stands.

    done: minings of the task that are finished, of `minings`.
    mined: the label whose rules were found just now; None when a whole mining was finished.
    """

    task: str
    done: int
    minings: int
    mined: LabelMined | None


Watcher = Callable[[Step], None]
"""Is told of every step."""


def _unwatched(step: Step) -> None:
    """Nobody looks."""


def examples_by_task(
    labelled: Iterable[LabelledQuestion], domain: Domain, *, tasks: Sequence[str] = ()
) -> tuple[TaskExamples, ...]:
    """Sort questions by task, and check them; a task that nobody gave an example of is left out.

    Args:
        labelled: of any task.
        domain: brings tasks and labels.
        tasks: names of those wanted; all when left out.

    Raises:
        DatasetError: a wanted task, or every task, is without an example that can be mined.
    """
    wanted = {name: domain.tasks[name] for name in tasks or domain.tasks}
    asked: dict[str, list[LabelledEvidence]] = {name: [] for name in wanted}
    for each in labelled:
        if each.question.task in asked:
            asked[each.question.task].append(
                LabelledEvidence(
                    example_id=each.example_id, evidence=each.evidence, label=each.label
                )
            )
    found = []
    for name, task in wanted.items():
        examples, messages = check_examples(asked[name], task.label_names)
        if asked[name] or tasks:
            found.append(TaskExamples(task=task, examples=examples, messages=messages))
    empty = [each.task.name for each in found if not each.examples]
    if len(empty) == len(found) or (tasks and empty):
        names = " and ".join(empty or wanted)
        told = [message for each in found for message in each.messages]
        raise DatasetError("\n".join([f"no example of {names} can be mined: label some", *told]))
    return tuple(found)


def mine_tasks(
    given: Sequence[TaskExamples],
    domain: Domain,
    settings: MiningSettings,
    *,
    checkpoint: Checkpoint | None = None,
    watcher: Watcher = _unwatched,
    clock: Callable[[], float] = time.monotonic,
) -> tuple[MinedTask, ...]:
    """Mine and judge the rules of every task that has examples.

    What a checkpoint keeps is not mined again. The clock, in seconds, is read only when the
    settings bound the time.

    Raises:
        InvalidSettings: the checkpoint is of other examples or settings.
    """
    minable = [each for each in given if each.examples]
    works = [_Work(each, domain, settings, checkpoint, watcher) for each in minable]
    left = sum(work.left for work in works)
    ends_s = None if settings.budget_s is None else clock() + settings.budget_s

    def budget_s() -> float | None:
        nonlocal left
        left -= 1
        return None if ends_s is None else max(0.0, ends_s - clock()) / (left + 1)

    return tuple(work.finish(budget_s) for work in works)


class _Work:
    """The minings of one task; those that a checkpoint kept are taken from it."""

    def __init__(
        self,
        given: TaskExamples,
        domain: Domain,
        settings: MiningSettings,
        checkpoint: Checkpoint | None,
        watcher: Watcher,
    ) -> None:
        self._given = given
        self._settings = settings
        self._checkpoint = checkpoint
        self._watcher = watcher
        self._miner = Miner(
            task=given.task.name,
            label_names=given.task.label_names,
            lexicon=domain.lexicon,
            written=domain.rule_sets[given.task.name].rules,
            settings=replace(settings.miner, budget_s=None),
            watcher=self._found,
        )
        self._digest = mining_digest(self._miner, given.examples, repr(settings))
        self._minings = [] if checkpoint is None else checkpoint.kept(self._miner, self._digest)

    @property
    def left(self) -> int:
        return self._settings.minings - len(self._minings)

    def finish(self, budget_s: Callable[[], float | None]) -> MinedTask:
        self._tell(None)

        def mine(examples: Sequence[LabelledEvidence]) -> tuple[Rule, ...]:
            timed = replace(self._miner.settings, budget_s=budget_s())
            mining = replace(self._miner, settings=timed).mine(examples)
            return self._keep(mining).rules

        rules = find_by_fold(
            mine,
            self._given.examples,
            settings=self._settings.held_out,
            known=[mining.rules for mining in self._minings],
        )
        mined = judge(
            list(rules),
            self._given.examples,
            lexicon=self._miner.lexicon,
            written=self._miner.written,
            settings=self._settings.held_out,
        )
        return MinedTask(given=self._given, mined=mined, efforts=self._minings[-1].efforts)

    def _keep(self, mining: Mining) -> Mining:
        self._minings.append(mining)
        if self._checkpoint is not None:
            self._checkpoint.keep(self._miner, self._digest, self._minings)
            self._minings = self._checkpoint.kept(self._miner, self._digest)
        self._tell(None)
        return self._minings[-1]

    def _found(self, mined: LabelMined) -> None:
        self._tell(mined)

    def _tell(self, mined: LabelMined | None) -> None:
        self._watcher(
            Step(
                task=self._given.task.name,
                done=len(self._minings),
                minings=self._settings.minings,
                mined=mined,
            )
        )
