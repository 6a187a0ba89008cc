"""Mined: the rules of one task with honest reliabilities, and what held-out rules said."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from rule_store.lexicon import Lexicon
from rule_store.mining.cover import cover
from rule_store.mining.firing_table import FiringTable
from rule_store.mining.held_out import HeldOutSettings, folds_of
from rule_store.mining.reliability_fit import fit_reliability
from rule_store.mining.table import LabelledEvidence
from rule_store.reliability import (
    FittedReliability,
    HeldOutFirings,
    ReliabilityModel,
    TrainingCounts,
    written_reliabilities,
)
from rule_store.rules import Rule

Flags = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True, kw_only=True)
class JudgedRules:
    """Rules in the order in which they were chosen.

    training: rule id → how it did on the examples by which it was chosen.
    reliability: rule id → what is believed of it.
    """

    rules: tuple[Rule, ...]
    training: Mapping[str, TrainingCounts]
    reliability: Mapping[str, FittedReliability]

    def values(self) -> dict[str, float]:
        """Rule id → reliability, as `decide` and `votes` take it."""
        return {rule_id: each.value for rule_id, each in self.reliability.items()}


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldOutVotes:
    """What rules that were chosen without an example's fold say of the example.

    label: the right one.
    rules: ids of the rules that fired.
    """

    example_id: str
    dialogue_id: str
    label: str
    fold: int
    rules: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Mined:
    """What mining makes of the examples of a task.

    chosen: the rules for use, chosen by all examples.
    by_fold: the rules chosen, and judged, without each fold.
    votes: of the latter; one for each example, in their order.
    fitted_on: mined rule among the chosen → ids of the examples that it covers: none of them is
        held out from it. A written rule was fitted on none.
    model: predicts the reliability of mined rules.
    """

    chosen: JudgedRules
    by_fold: tuple[JudgedRules, ...]
    votes: tuple[HeldOutVotes, ...]
    fitted_on: Mapping[str, tuple[str, ...]]
    model: ReliabilityModel


def judge(
    found: Sequence[Sequence[Rule]],
    examples: Sequence[LabelledEvidence],
    *,
    lexicon: Lexicon,
    written: Sequence[Rule] = (),
    pseudo: Sequence[LabelledEvidence] = (),
    settings: HeldOutSettings,
) -> Mined:
    """Say what each found rule is worth, keep a few, and let those of each fold vote on it.

    The rules of a fold, their training counts and the choice among them are of the other folds
    only. What is believed of them is fitted to firings on the other folds as well; but the rules
    that fired there were mined with this fold among their examples, and so its labels reach the
    few numbers of the model that way, and no other. To close it would take a mining for every two
    folds. Of labels given by chance the model believes what chance makes right, and no more.

    Args:
        found: what `find_by_fold` yields.
        examples: the same.
        lexicon: the domain's.
        written: the pack's own rules; every example is held out from them.
        pseudo: what rules labelled for the mining of all; it judges none of them.
        settings: the same.

    Raises:
        UnknownConcept: the lexicon lacks a concept that a rule names.
        DuplicateRule: the miner gave a rule twice.
    """
    judging = _Judging(found, examples, lexicon=lexicon, written=written, settings=settings)
    by_fold = [judging.judge(held, judging.model(held)) for held in range(settings.folds)]
    model = judging.model(None)
    chosen = judging.judge(None, model)
    return Mined(
        chosen=chosen,
        by_fold=tuple(by_fold),
        votes=judging.votes(by_fold),
        fitted_on=judging.fitted_on(chosen, pseudo, lexicon),
        model=model,
    )


class _Judging:
    """What every judgement needs: which rules fire where, and which examples are held out."""

    def __init__(
        self,
        found: Sequence[Sequence[Rule]],
        examples: Sequence[LabelledEvidence],
        *,
        lexicon: Lexicon,
        written: Sequence[Rule],
        settings: HeldOutSettings,
    ) -> None:
        if len(found) != settings.folds + 1:
            raise ValueError(f"{len(found)} minings; give one a fold and one of all examples")
        self._own = {rule.id for rule in written}
        self._examples = examples
        self._settings = settings
        self._folds = folds_of(examples, settings)
        self._written = len(written)
        # The pack's rules come first in each table; what the pack holds already was not mined.
        self._tables = [
            FiringTable.of(
                [*written, *(rule for rule in rules if rule.id not in self._own)],
                examples,
                lexicon=lexicon,
            )
            for rules in found
        ]
        # Of the rules mined without each fold, and last of those mined by all examples.
        self._training = [
            table.counts(self._folds != number) for number, table in enumerate(self._tables)
        ]
        self._firings = [self._held_out(number) for number in range(settings.folds)]

    def judge(self, held: int | None, model: ReliabilityModel) -> JudgedRules:
        """Judge and choose among the rules mined without a fold, or by all examples."""
        number = self._settings.folds if held is None else held
        table, training, known = self._tables[number], self._training[number], self._folds != number
        written = self._judge_written(table, training)
        pairs = list(zip(table.rules, training, strict=True))
        values = [
            written[rule.id].value if rule.id in written else model.value(rule, counts)
            for rule, counts in pairs
        ]
        places = cover(
            table.fires[:, known],
            table.implied,
            labels=table.given[known],
            reliability=np.array(values),
            settings=self._settings.cover,
            kept=range(self._written),
        )
        chosen = [pairs[place] for place in places]
        return JudgedRules(
            rules=tuple(rule for rule, _ in chosen),
            training={rule.id: counts for rule, counts in chosen},
            reliability={
                rule.id: written.get(rule.id) or model.reliability(rule, counts)
                for rule, counts in chosen
            },
        )

    def model(self, held: int | None) -> ReliabilityModel:
        """Fit to the firings on every fold but this."""
        firings = [
            each
            for number in range(self._settings.folds)
            if number != held
            for each in self._firings[number]
        ]
        return fit_reliability(firings, ridge=self._settings.ridge)

    def votes(self, by_fold: Sequence[JudgedRules]) -> tuple[HeldOutVotes, ...]:
        fired: dict[int, tuple[str, ...]] = {}
        for number, judged in enumerate(by_fold):
            fired |= self._tables[number].fired(
                [rule.id for rule in judged.rules], np.flatnonzero(self._folds == number).tolist()
            )
        return tuple(
            HeldOutVotes(
                example_id=each.example_id,
                dialogue_id=each.dialogue_id,
                label=each.label,
                fold=int(self._folds[place]),
                rules=fired[place],
            )
            for place, each in enumerate(self._examples)
        )

    def fitted_on(
        self, chosen: JudgedRules, pseudo: Sequence[LabelledEvidence], lexicon: Lexicon
    ) -> dict[str, tuple[str, ...]]:
        table, examples = self._tables[-1], (*self._examples, *pseudo)
        others = FiringTable.of(table.rules, pseudo, lexicon=lexicon)
        kept = {rule.id for rule in chosen.rules} - self._own
        covered = np.hstack([table.fires, others.fires])
        return {
            rule.id: tuple(
                dict.fromkeys(examples[place].example_id for place in np.flatnonzero(fires))
            )
            for rule, fires in zip(table.rules, covered, strict=True)
            if rule.id in kept
        }

    def _held_out(self, number: int) -> list[HeldOutFirings]:
        """What the rules mined without a fold did on it."""
        table = self._tables[number]
        training = self._training[number][self._written :]
        came = table.counts(self._folds == number)[self._written :]
        return [
            HeldOutFirings(
                rule=rule, training=before, fired=after.right + after.wrong, right=after.right
            )
            for rule, before, after in zip(
                table.rules[self._written :], training, came, strict=True
            )
        ]

    def _judge_written(
        self, table: FiringTable, training: Sequence[TrainingCounts]
    ) -> dict[str, FittedReliability]:
        count = self._written
        pairs = zip(table.rules[:count], training[:count], strict=True)
        return written_reliabilities({rule.id: (each.right, each.wrong) for rule, each in pairs})
