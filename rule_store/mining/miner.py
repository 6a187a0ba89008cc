"""Miner: labelled examples of a task → rules, everything chosen by these examples alone."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np

from rule_store.lexicon import Lexicon
from rule_store.mining.body import Body, code, literals_of
from rule_store.mining.candidates import candidate_table
from rule_store.mining.consistent import CoveringRule, consistent
from rule_store.mining.covering import mine_label
from rule_store.mining.found import FoundBody, Improvement, Search
from rule_store.mining.in_time import InTime
from rule_store.mining.miner_settings import MinerSettings
from rule_store.mining.proposals import Proposer
from rule_store.mining.reward import Reward
from rule_store.mining.table import LabelledEvidence, Table
from rule_store.reliability import wilson_bound
from rule_store.rules import Rule


@dataclass(frozen=True, slots=True, kw_only=True)
class Effort:
    """What looking for the rules of a label cost, and how soon the first was found.

    expansions: of all its searches.
    trace: how the best reward of its first search rose.
    """

    label: str
    expansions: int
    trace: tuple[Improvement, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelMined:
    """The rules of a label in the order found, before those that conflict are left out.

    right, covered: examples that each covers, of the label and in all, of those it was mined on:
        their quotient flatters.
    """

    label: str
    rules: tuple[Rule, ...]
    right: tuple[int, ...]
    covered: tuple[int, ...]
    effort: Effort


@dataclass(frozen=True, slots=True, kw_only=True)
class Mining:
    """What one mining found, label by label."""

    rules: tuple[Rule, ...]
    efforts: tuple[Effort, ...]


Watcher = Callable[[LabelMined], None]
"""Is told of every label as soon as its rules are found."""


def _unwatched(mined: LabelMined) -> None:
    """Nobody looks."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Miner:
    """Finds rules of one task; a `held_out.Miner`.

    label_names: of the task, in its order.
    written: the pack's own rules: their predicates are candidates, and no mined rule conflicts
        with one of them. They are not found again.
    clock: monotonic seconds; read only when the settings bound the time.
    """

    task: str
    label_names: tuple[str, ...]
    lexicon: Lexicon
    written: tuple[Rule, ...] = ()
    settings: MinerSettings = field(default_factory=MinerSettings)
    watcher: Watcher = _unwatched
    clock: Callable[[], float] = time.monotonic

    def __call__(self, examples: Sequence[LabelledEvidence]) -> tuple[Rule, ...]:
        return self.mine(examples).rules

    def mine(self, examples: Sequence[LabelledEvidence]) -> Mining:
        """Find the rules of every label that has examples.

        Raises:
            UnknownConcept: the lexicon lacks a concept of the pack's rules.
            UnreadEvidence: an example's channel or fact is unread.
            ValueError: a label of no task; `check_examples` finds these.
        """
        if not examples:
            return Mining(rules=(), efforts=())
        table = candidate_table(
            examples,
            self.lexicon,
            self.settings.candidates,
            self.written,
            label_names=self.label_names,
        )
        reward, proposer = self.settings.reward(examples), self.settings.table_proposer(table)
        found: list[tuple[FoundBody, Rule]] = []
        efforts: list[Effort] = []
        present = np.unique(table.labels).tolist()
        ends_s = None if self.settings.budget_s is None else self.clock() + self.settings.budget_s
        for place, label in enumerate(present):
            search = self._search(ends_s, left=len(present) - place)
            bodies, mined = self._mine_label(table, label, search, reward, proposer)
            found += zip(bodies, mined.rules, strict=True)
            efforts.append(mined.effort)
            self.watcher(mined)
        return Mining(rules=self._consistent(table, found), efforts=tuple(efforts))

    def _mine_label(
        self, table: Table, label: int, search: Search, reward: Reward, proposer: Proposer
    ) -> tuple[tuple[FoundBody, ...], LabelMined]:
        covering = mine_label(
            table,
            label,
            search=search,
            reward=reward,
            proposer=proposer,
            settings=self.settings.covering,
            seed=self.settings.seed,
        )
        name = self.label_names[label]
        return covering.bodies, LabelMined(
            label=name,
            rules=tuple(
                Rule(task=self.task, body=literals_of(each.body, table.predicates), label=name)
                for each in covering.bodies
            ),
            right=tuple(each.true_positives for each in covering.bodies),
            covered=tuple(each.covered for each in covering.bodies),
            effort=Effort(
                label=name,
                expansions=sum(each.expansions for each in covering.searches),
                trace=covering.searches[0].trace if covering.searches else (),
            ),
        )

    def _consistent(
        self, table: Table, found: Sequence[tuple[FoundBody, Rule]]
    ) -> tuple[Rule, ...]:
        """The rules that go together, label by label in the order found."""
        known = {rule.id for rule in self.written}
        worth = sorted(
            (pair for pair in found if pair[1].id not in known),
            key=lambda pair: -_worth(pair[0]),
        )
        covering = [
            CoveringRule(rule=rule, covered=table.covered(body.body)) for body, rule in worth
        ]
        kept = {
            rule.id
            for rule in consistent(
                covering, written=_covering(self.written, table), lexicon=self.lexicon
            )
        }
        return tuple(rule for _, rule in found if rule.id in kept)

    def _search(self, ends_s: float | None, *, left: int) -> Search:
        if ends_s is None:
            return self.settings.rule_search()
        now_s = self.clock()
        return InTime(
            settings=self.settings,
            ends_s=now_s + max(0.0, ends_s - now_s) / left,
            clock=self.clock,
        )


def _worth(body: FoundBody) -> float:
    """What a rule brings, by its training: careful precision times right answers."""
    return round(wilson_bound(body.true_positives, body.covered) * body.true_positives, 9)


def _covering(written: Sequence[Rule], table: Table) -> list[CoveringRule]:
    place = {predicate: number for number, predicate in enumerate(table.predicates)}
    bodies: list[Body] = [
        frozenset(code(place[each.predicate], each.negated) for each in rule.body)
        for rule in written
    ]
    return [
        CoveringRule(rule=rule, covered=table.covered(body))
        for rule, body in zip(written, bodies, strict=True)
    ]
