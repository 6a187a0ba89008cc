"""The minings of one task, one after the other; those that a checkpoint kept are not run again."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from rule_store.mining.held_out import HeldOutSettings
from rule_store.mining.mined import Mined
from rule_store.mining.miner import Effort, LabelMined, Miner, Mining
from rule_store.mining.pseudo_labels import SelfTrainingSettings
from rule_store.mining.self_training import (
    SelfTrainingTrial,
    mine_labelled,
    mine_with_unlabelled,
    minings_in_round,
)
from rule_store.mining.table import LabelledEvidence
from rule_store.mining.unlabelled import UnlabelledEvidence
from rule_store.rules import Rule
from streams.mining_checkpoint import Checkpoint

BudgetLeft = Callable[[], float | None]
"""How many seconds the next mining may take; None for as many as it likes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskEvidence:
    """The examples of a task, as mining reads them; no labelled one is among the others."""

    labelled: tuple[LabelledEvidence, ...]
    unlabelled: tuple[UnlabelledEvidence, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What came of the minings of a task.

    efforts: of the mining of all labelled examples that found the rules in use.
    trial: of self-training; None without unlabelled examples.
    """

    mined: Mined
    efforts: tuple[Effort, ...]
    trial: SelfTrainingTrial | None


class TaskMining:
    """Mines without each fold and on all examples, and again with what the rules labelled.

    Args:
        miner: of the task; its watcher and its own budget are not used.
        given: the examples.
        held_out: which of them form a fold.
        self_training: when rules label an example.
        checkpoint: keeps each mining, under the digest of what they all depend on.
        digest: the same.
        watcher: is told of each label mined; of None when a mining is finished.
    """

    def __init__(
        self,
        miner: Miner,
        given: TaskEvidence,
        *,
        held_out: HeldOutSettings,
        self_training: SelfTrainingSettings,
        checkpoint: Checkpoint | None,
        digest: str,
        watcher: Callable[[LabelMined | None], None],
    ) -> None:
        self._miner = replace(miner, watcher=watcher)
        self._given = given
        self._held_out = held_out
        self._self_training = self_training
        self._checkpoint = checkpoint
        self._digest = digest
        self._watcher = watcher
        self._minings = [] if checkpoint is None else checkpoint.kept(miner, digest)

    @property
    def done(self) -> int:
        return len(self._minings)

    @property
    def minings(self) -> int:
        """How many there are: a round without unlabelled examples, two with them."""
        return self._round * (2 if self._given.unlabelled else 1)

    @property
    def _round(self) -> int:
        return minings_in_round(self._held_out)

    def finish(self, budget_s: BudgetLeft) -> Outcome:
        def mine(miner: Miner, examples: Sequence[LabelledEvidence]) -> tuple[Rule, ...]:
            timed = replace(miner.settings, budget_s=budget_s())
            self._keep(replace(miner, settings=timed).mine(examples))
            return self._minings[-1].rules

        self._watcher(None)
        known = [each.rules for each in self._minings]
        given, held_out = self._given, self._held_out
        if not given.unlabelled:
            mined = mine_labelled(
                self._miner, given.labelled, held_out=held_out, mine=mine, known=known
            )
            return Outcome(mined=mined, efforts=self._minings[-1].efforts, trial=None)
        settled = mine_with_unlabelled(
            self._miner,
            given.labelled,
            given.unlabelled,
            held_out=held_out,
            settings=self._self_training,
            mine=mine,
            known=known,
        )
        efforts = self._minings[-1 if settled.on else self._round - 1].efforts
        return Outcome(mined=settled.mined, efforts=efforts, trial=settled.trial)

    def _keep(self, mining: Mining) -> None:
        self._minings.append(mining)
        if self._checkpoint is not None:
            self._checkpoint.keep(self._miner, self._digest, self._minings)
        self._watcher(None)
