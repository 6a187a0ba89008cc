"""Labelled questions → mined rules of every task, with honest reliabilities."""

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

from rule_store.mining.checks import check_examples
from rule_store.mining.held_out import HeldOutSettings
from rule_store.mining.mined import Mined
from rule_store.mining.miner import Effort, LabelMined, Miner
from rule_store.mining.miner_settings import MinerSettings
from rule_store.mining.pseudo_labels import SelfTrainingSettings
from rule_store.mining.self_training import SelfTrainingTrial
from rule_store.mining.table import LabelledEvidence
from rule_store.mining.unlabelled import Estimates, UnlabelledEvidence
from streams.described_labels import described, estimated
from streams.domain import Domain, Task
from streams.errors import DatasetError
from streams.labelled import LabelledQuestion
from streams.mining_checkpoint import Checkpoint, mining_digest
from streams.task_mining import TaskEvidence, TaskMining


@dataclass(frozen=True, slots=True, kw_only=True)
class MiningSettings:
    """How the rules of a domain are mined.

    miner: for each mining; its own budget is not used.
    held_out: which examples are held out, and which rules are kept.
    self_training: when rules label an unlabelled example for a second mining.
    budget_s: most wall-clock time of all minings together; None lets the iterations end them.
    """

    miner: MinerSettings = field(default_factory=MinerSettings)
    held_out: HeldOutSettings = field(default_factory=HeldOutSettings)
    self_training: SelfTrainingSettings = field(default_factory=SelfTrainingSettings)
    budget_s: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskExamples:
    """The examples of a task that can be mined.

    messages: what is wrong with the others, and what to do about it.
    unlabelled: examples beside them whose labels nobody gave.
    """

    task: Task
    examples: tuple[LabelledEvidence, ...]
    messages: tuple[str, ...]
    unlabelled: tuple[UnlabelledEvidence, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class MinedTask:
    """What mining made of a task.

    efforts: of the mining of all examples, label by label.
    described: ids of the rules that descriptions gave, for labels without a rule of the pack.
    trial, estimates: what unlabelled examples brought, and told of the rules; None without them.
    """

    given: TaskExamples
    mined: Mined
    efforts: tuple[Effort, ...]
    described: frozenset[str] = frozenset()
    trial: SelfTrainingTrial | None = None
    estimates: Estimates | None = None

    @property
    def name(self) -> str:
        return self.given.task.name

    def origin(self, rule_id: str) -> Literal["mined", "description", "pack"]:
        """Where a chosen rule comes from."""
        if rule_id in self.mined.fitted_on:
            return "mined"
        return "description" if rule_id in self.described else "pack"


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
                    example_id=each.example_id,
                    dialogue_id=each.dialogue_id,
                    evidence=each.evidence,
                    label=each.label,
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
        cure = "label some, or mine without labels, with `kdsl rules mine --unlabelled PATH`"
        raise DatasetError("\n".join([f"no example of {names} can be mined: {cure}", *told]))
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
    """Mine and judge the rules of every task that has examples, in whatever order they are given.

    What a checkpoint keeps is not mined again. The clock, in seconds, is read only when the
    settings bound the time.

    Raises:
        InvalidSettings: the checkpoint is of other examples or settings.
    """
    minable = [_in_order(each) for each in given if each.examples]
    works = [_Work(each, domain, settings, checkpoint, watcher) for each in minable]
    left = sum(work.left for work in works)
    ends_s = None if settings.budget_s is None else clock() + settings.budget_s

    def budget_s() -> float | None:
        nonlocal left
        left -= 1
        return None if ends_s is None else max(0.0, ends_s - clock()) / (left + 1)

    return tuple(work.finish(budget_s) for work in works)


def _in_order(given: TaskExamples) -> TaskExamples:
    """The order of examples decides between equal candidates: the order of files must not."""
    return replace(
        given,
        examples=tuple(sorted(given.examples, key=lambda each: each.example_id)),
        unlabelled=tuple(sorted(given.unlabelled, key=lambda each: each.example_id)),
    )


class _Work:
    """The minings of one task, and what is told of them."""

    def __init__(
        self,
        given: TaskExamples,
        domain: Domain,
        settings: MiningSettings,
        checkpoint: Checkpoint | None,
        watcher: Watcher,
    ) -> None:
        self._given = given
        self._watcher = watcher
        self._described = described(given.task, domain, names=False)
        self._miner = Miner(
            task=given.task.name,
            label_names=given.task.label_names,
            lexicon=domain.lexicon,
            written=(*domain.rule_sets[given.task.name].rules, *self._described),
            settings=replace(settings.miner, budget_s=None),
        )
        self._minings = TaskMining(
            self._miner,
            TaskEvidence(labelled=given.examples, unlabelled=given.unlabelled),
            held_out=settings.held_out,
            self_training=settings.self_training,
            checkpoint=checkpoint,
            digest=mining_digest(
                self._miner, given.examples, repr(settings), unlabelled=given.unlabelled
            ),
            watcher=self._tell,
        )

    @property
    def left(self) -> int:
        return self._minings.minings - self._minings.done

    def finish(self, budget_s: Callable[[], float | None]) -> MinedTask:
        outcome = self._minings.finish(budget_s)
        rules = outcome.mined.chosen.rules
        given = self._given
        return MinedTask(
            given=given,
            mined=outcome.mined,
            efforts=outcome.efforts,
            described=frozenset(each.id for each in self._described),
            trial=outcome.trial,
            estimates=estimated(given.task, rules, given.unlabelled, self._miner.lexicon)
            if given.unlabelled
            else None,
        )

    def _tell(self, mined: LabelMined | None) -> None:
        self._watcher(
            Step(
                task=self._given.task.name,
                done=self._minings.done,
                minings=self._minings.minings,
                mined=mined,
            )
        )
