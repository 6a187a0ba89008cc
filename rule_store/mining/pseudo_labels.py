"""Labels that rules give to unlabelled examples where they are sure enough."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from rule_store.lexicon import Lexicon
from rule_store.mining.answers import by_votes, choose_threshold, held_out_answers
from rule_store.mining.mined import Mined
from rule_store.mining.table import LabelledEvidence
from rule_store.mining.unlabelled import UnlabelledEvidence, firings

# Rules that differ by the fold they were mined without believe in the same so far apart: of few
# examples each fold's surest would miss the bound that the others set.
_SLACK = 0.02


@dataclass(frozen=True, slots=True, kw_only=True)
class SelfTrainingSettings:
    """When an unlabelled example is labelled by rules.

    precision: share of such labels that shall be right: the sureness that this takes is chosen on
        held-out answers.
    """

    precision: float = 0.9


@dataclass(frozen=True, slots=True, kw_only=True)
class PseudoLabels:
    """What rules say of unlabelled examples where they are sure enough.

    wrong: share of the labels that is expected to be wrong, by held-out answers as sure.
    """

    examples: tuple[LabelledEvidence, ...]
    wrong: float


def pseudo_labels(
    first: Mined,
    unlabelled: Sequence[UnlabelledEvidence],
    *,
    held: int | None,
    lexicon: Lexicon,
    settings: SelfTrainingSettings,
) -> PseudoLabels:
    """Label what the rules of a mining are sure enough of.

    The threshold is chosen by answers on the other folds; but the rules that gave them were mined
    with the held fold among their examples. Its labels reach that one number, and the few that
    `judge` names, and no other.

    Args:
        first: the mining without unlabelled examples.
        unlabelled: what may be labelled.
        held: the fold without which the rules were mined and judged; None for the rules of all
            examples.
        lexicon: of the rules.
        settings: how sure is enough.

    Source: Yarowsky 1995, "Unsupervised word sense disambiguation rivaling supervised methods".
    """
    answers = [
        answer
        for answer, vote in zip(held_out_answers(first), first.votes, strict=True)
        if vote.fold != held
    ]
    chosen = choose_threshold(answers, precision=settings.precision)
    rules = first.chosen if held is None else first.by_fold[held]
    fires = firings(rules.rules, unlabelled, lexicon=lexicon)
    values = rules.values()
    labelled = []
    for place, each in enumerate(unlabelled):
        fired = [rules.rules[row] for row in np.flatnonzero(fires[:, place]).tolist()]
        said = by_votes(fired, values)
        if said is not None and said.sureness >= chosen.answer_at - _SLACK:
            labelled.append(
                LabelledEvidence(
                    example_id=each.example_id,
                    dialogue_id=each.dialogue_id,
                    evidence=each.evidence,
                    label=said.label,
                )
            )
    return PseudoLabels(examples=tuple(labelled), wrong=1.0 - chosen.precision)
