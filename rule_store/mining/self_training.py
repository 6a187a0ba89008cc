"""Self-training: examples that the rules label themselves, for a second mining, if it wins."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from rule_store.lexicon import Lexicon
from rule_store.mining.answers import by_votes, choose_threshold, held_out_answers, weighted_f1
from rule_store.mining.held_out import HeldOutSettings, find_by_fold, folds_of
from rule_store.mining.mined import Mined, judge
from rule_store.mining.miner import Miner
from rule_store.mining.table import LabelledEvidence
from rule_store.mining.unlabelled import UnlabelledEvidence, firings
from rule_store.rules import Rule

# Rules that differ by the fold they were mined without believe in the same so far apart: of few
# examples each fold's surest would miss the bound that the others set.
_SLACK = 0.02
# The robust reward can no longer tell a label from the others where half of the labels are wrong.
_WRONG_MAX = 0.45


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """Self-training against mining without it, on the same held-out labelled examples.

    labelled: examples that the rules labelled for the mining of all, of `unlabelled`.
    wrong: share of these labels that is expected to be wrong.
    gained, lost: labelled examples that only the second mining answers rightly, or only the first.
    before, after: weighted F1 of the first and the second mining.
    """

    labelled: int
    unlabelled: int
    wrong: float
    gained: int
    lost: int
    before: float
    after: float

    @property
    def wins(self) -> bool:
        """Whether more examples are answered rightly, and F1 is higher too.

        >>> def trial(gained, lost):
        ...     return Trial(labelled=9, unlabelled=9, wrong=0.1, gained=gained, lost=lost,
        ...                  before=0.5, after=0.6)
        >>> trial(2, 1).wins, trial(1, 1).wins, trial(0, 0).wins
        (True, False, False)
        """
        return self.gained > self.lost and self.after > self.before


@dataclass(frozen=True, slots=True, kw_only=True)
class SelfTrained:
    """The rules to use, and whether self-training had a part in them.

    mined: of the second mining where that wins, else of the first.
    """

    mined: Mined
    trial: Trial

    @property
    def on(self) -> bool:
        return self.trial.wins


def mine_with_unlabelled(
    miner: Miner,
    labelled: Sequence[LabelledEvidence],
    unlabelled: Sequence[UnlabelledEvidence],
    *,
    held_out: HeldOutSettings,
    settings: SelfTrainingSettings | None = None,
) -> SelfTrained:
    """Mine, let the rules label what is unlabelled, mine again, and keep what does better.

    Reliabilities, and the comparison, are by labelled examples alone; what is unlabelled must be
    of other dialogues, or a fold would be mined while it is held out.

    Raises:
        UnknownConcept: the lexicon lacks a concept of a written rule.
        UnreadEvidence: an example's channel or fact is unread.
    """
    settings = settings or SelfTrainingSettings()
    found = list(find_by_fold(miner, labelled, settings=held_out))
    first = judged(miner, found, labelled, held_out=held_out)
    steps = second_minings(
        miner, labelled, unlabelled, first=first, held_out=held_out, settings=settings
    )
    rules = [again.mine(examples).rules for again, examples in steps]
    second = judged(miner, rules, labelled, held_out=held_out)
    pseudo = pseudo_labels(first, unlabelled, held=None, lexicon=miner.lexicon, settings=settings)
    return compared(first, second, pseudo, unlabelled=len(unlabelled))


def judged(
    miner: Miner,
    found: Sequence[Sequence[Rule]],
    labelled: Sequence[LabelledEvidence],
    *,
    held_out: HeldOutSettings,
) -> Mined:
    """What the found rules are worth, beside the written ones of the miner."""
    return judge(found, labelled, lexicon=miner.lexicon, written=miner.written, settings=held_out)


def pseudo_labels(
    first: Mined,
    unlabelled: Sequence[UnlabelledEvidence],
    *,
    held: int | None,
    lexicon: Lexicon,
    settings: SelfTrainingSettings,
) -> PseudoLabels:
    """Label what the rules of a mining are sure enough of.

    Args:
        first: the mining without unlabelled examples.
        unlabelled: what may be labelled.
        held: the fold that no rule, reliability or threshold may have seen; None for the rules of
            all examples.
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


def second_minings(
    miner: Miner,
    labelled: Sequence[LabelledEvidence],
    unlabelled: Sequence[UnlabelledEvidence],
    *,
    first: Mined,
    held_out: HeldOutSettings,
    settings: SelfTrainingSettings,
    done: int = 0,
) -> Iterator[tuple[Miner, tuple[LabelledEvidence, ...]]]:
    """With what to mine again: without each fold in turn, and last on all examples.

    Args:
        miner: of the first mining.
        labelled: of one task.
        unlabelled: of the same task, and of other dialogues.
        first: the mining without the unlabelled ones.
        held_out: which labelled examples form a fold.
        settings: when an unlabelled example is labelled.
        done: how many second minings are not wanted, from the first on.
    """
    numbers = folds_of(labelled, held_out).tolist()
    steps: list[int | None] = [*range(held_out.folds), None]
    for held in steps[done:]:
        pseudo = pseudo_labels(
            first, unlabelled, held=held, lexicon=miner.lexicon, settings=settings
        )
        kept = [each for each, fold in zip(labelled, numbers, strict=True) if fold != held]
        yield _noisy(miner, len(kept), pseudo), (*kept, *pseudo.examples)


def _noisy(miner: Miner, labelled: int, pseudo: PseudoLabels) -> Miner:
    """The miner, told how many of so many labels and pseudo-labels together are wrong."""
    count = len(pseudo.examples)
    wrong = miner.settings.label_noise * labelled + pseudo.wrong * count
    share = min(wrong / max(1, labelled + count), _WRONG_MAX)
    return replace(miner, settings=replace(miner.settings, label_noise=share))


def compared(first: Mined, second: Mined, pseudo: PseudoLabels, *, unlabelled: int) -> SelfTrained:
    """Keep the second mining where it wins on the labelled examples, each held out."""
    before, after = held_out_answers(first), held_out_answers(second)
    pairs = [(one.right, two.right) for one, two in zip(before, after, strict=True)]
    trial = Trial(
        labelled=len(pseudo.examples),
        unlabelled=unlabelled,
        wrong=pseudo.wrong,
        gained=pairs.count((False, True)),
        lost=pairs.count((True, False)),
        before=weighted_f1(before),
        after=weighted_f1(after),
    )
    return SelfTrained(mined=second if trial.wins else first, trial=trial)
