"""In time: a search that keeps to the time left for a label."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from rule_store.mining.found import Found
from rule_store.mining.miner_settings import MinerSettings
from rule_store.mining.proposals import Proposer
from rule_store.mining.reward import Floats, Reward
from rule_store.mining.scan import Codes
from rule_store.mining.table import Table, Words


@dataclass(frozen=True, slots=True, kw_only=True)
class InTime:
    """A search that shares what is left of a label's time among the rules still to be found.

    Out of time it expands the empty body alone: every label gets rules of one literal at least.

    ends_s: when the label's time is over, by the clock.
    """

    settings: MinerSettings
    ends_s: float
    clock: Callable[[], float]

    def find(
        self,
        table: Table,
        label: int,
        *,
        reward: Reward,
        proposer: Proposer,
        weights: Floats,
        seed: int,
        taken: Sequence[Words] = (),
        rows: Codes | None = None,
    ) -> Found:
        searches_left = max(1, self.settings.covering.size - len(taken))
        left_s = max(0.0, self.ends_s - self.clock()) / searches_left
        return self.settings.rule_search(budget_s=left_s).find(
            table,
            label,
            reward=reward,
            proposer=proposer,
            weights=weights,
            seed=seed,
            taken=taken,
            rows=rows,
        )
