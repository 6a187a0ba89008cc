"""Training: everything that rules are chosen by, and the choice."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from functools import cache

from rule_store.lexicon import Lexicon
from rule_store.mining.held_out import HeldOutSettings, find_by_fold
from rule_store.mining.mined import Mined, judge
from rule_store.mining.miner import Miner
from rule_store.mining.miner_settings import MinerSettings
from rule_store.mining.table import LabelledEvidence
from rule_store.rules import Rule
from streams.domain import Domain
from streams.mining_checkpoint import mining_digest
from tests.benchmarks.mining.cache import digest_of, digest_of_sources

_DECIDING = ("rule_store/*.py", "rule_store/mining/*.py")


class Knowledge(StrEnum):
    """What is known beside the labels."""

    PACK = "lexicon and rules of the pack"
    LEXICON = "lexicon alone"
    LABELS = "labels alone"


@dataclass(frozen=True, slots=True, kw_only=True)
class Training:
    """The training part of one outer fold, with what else mining reads.

    Whatever is chosen, it is chosen by these examples alone, on inner folds of them.
    """

    task: str
    label_names: tuple[str, ...]
    lexicon: Lexicon
    written: tuple[Rule, ...]
    examples: tuple[LabelledEvidence, ...]
    miner: MinerSettings = field(default_factory=MinerSettings)
    held_out: HeldOutSettings = field(default_factory=HeldOutSettings)

    @classmethod
    def of(
        cls,
        examples: tuple[LabelledEvidence, ...],
        *,
        pack: Domain,
        task: str,
        knowledge: Knowledge,
        miner: MinerSettings | None = None,
    ) -> Training:
        return cls(
            task=task,
            label_names=pack.tasks[task].label_names,
            lexicon=Lexicon(concepts={}) if knowledge is Knowledge.LABELS else pack.lexicon,
            written=pack.rule_sets[task].rules if knowledge is Knowledge.PACK else (),
            examples=examples,
            miner=miner or MinerSettings(),
        )

    @property
    def rule_miner(self) -> Miner:
        return Miner(
            task=self.task,
            label_names=self.label_names,
            lexicon=self.lexicon,
            written=self.written,
            settings=self.miner,
        )

    @property
    def digest(self) -> str:
        """Of examples, lexicon, written rules, settings and the code that decides."""
        settings = repr((self.miner, self.held_out))
        return digest_of(_sources(), mining_digest(self.rule_miner, self.examples, settings))


def mine(training: Training) -> Mined:
    """Find rules, judge them by inner folds, and choose."""
    found = list(find_by_fold(training.rule_miner, training.examples, settings=training.held_out))
    return judge(
        found,
        training.examples,
        lexicon=training.lexicon,
        written=training.written,
        settings=training.held_out,
    )


@cache
def _sources() -> str:
    """Once a run: what is imported does not change while it lasts."""
    return digest_of_sources(*_DECIDING)
