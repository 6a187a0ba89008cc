"""Miner settings: search, proposer and reward by name, and everything that bounds them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal as OneOf
from typing import assert_never

from rule_store.mining.beam import BeamSearch, BeamSettings
from rule_store.mining.candidates import CandidateSettings
from rule_store.mining.covering import CoveringSettings
from rule_store.mining.found import Search
from rule_store.mining.proposals import Linear, Proposer, Statistical, Uniform
from rule_store.mining.reward import Mdl, NoiseRobust, Reward, WilsonGain
from rule_store.mining.scan import Limits
from rule_store.mining.search import TreeSearch, TreeSettings
from rule_store.mining.table import LabelledEvidence, Table

SearchName = OneOf["mcts", "beam"]
ProposerName = OneOf["statistical", "linear", "uniform"]


@dataclass(frozen=True, slots=True, kw_only=True)
class MinerSettings:
    """How rules are looked for.

    search, proposer: by name; a beam search asks no proposer.
    iterations: bodies expanded for a rule, at most.
    beam_width: bodies of one length that a beam search expands.
    seed: of all that is random.
    budget_s: most wall-clock time of a mining; None lets the iterations end it, and the same
        seed gives the same rules on any machine.
    few: up to so many examples a label, on average, `Mdl` is the reward: it wants evidence before
        it believes in a precision. Of more, `WilsonGain`.
    label_noise: share of the labels that is wrong, within 0..0.5, 0.5 excluded; the reward is of
        the counts as they would be without.
    """

    search: SearchName = "mcts"
    proposer: ProposerName = "statistical"
    iterations: int = 40
    beam_width: int = 20
    seed: int = 0
    budget_s: float | None = None
    few: float = 15.0
    label_noise: float = 0.0
    limits: Limits = field(default_factory=Limits)
    candidates: CandidateSettings = field(default_factory=CandidateSettings)
    covering: CoveringSettings = field(default_factory=CoveringSettings)

    def reward(self, examples: Sequence[LabelledEvidence]) -> Reward:
        """The reward that suits so many examples a label."""
        labels = {each.label for each in examples}
        reward: Reward = Mdl() if len(examples) <= self.few * len(labels) else WilsonGain()
        return NoiseRobust(reward=reward, wrong=self.label_noise) if self.label_noise else reward

    def table_proposer(self, table: Table) -> Proposer:
        """The small model, fitted to a table where it learns."""
        match self.proposer:
            case "statistical":
                return Statistical()
            case "linear":
                return Linear.fit(table)
            case "uniform":
                return Uniform()
            case _:
                assert_never(self.proposer)

    def rule_search(self, *, budget_s: float | None = None) -> Search:
        """The search for one rule."""
        match self.search:
            case "mcts":
                return TreeSearch(
                    settings=TreeSettings(
                        limits=self.limits, iterations=self.iterations, budget_s=budget_s
                    )
                )
            case "beam":
                return BeamSearch(
                    settings=BeamSettings(
                        limits=self.limits,
                        width=self.beam_width,
                        expansions=self.iterations,
                        budget_s=budget_s,
                    )
                )
            case _:
                assert_never(self.search)
