"""Self-training: examples that the rules label themselves, for a second mining, if it wins."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

from rule_store.mining.answers import held_out_answers, weighted_f1
from rule_store.mining.held_out import HeldOutSettings, find_by_fold, folds_of
from rule_store.mining.mined import Mined, judge
from rule_store.mining.miner import Miner
from rule_store.mining.pseudo_labels import PseudoLabels, SelfTrainingSettings, pseudo_labels
from rule_store.mining.table import LabelledEvidence
from rule_store.mining.unlabelled import UnlabelledEvidence
from rule_store.rules import Rule

# The robust reward can no longer tell a label from the others where half of the labels are wrong.
_WRONG_MAX = 0.45


@dataclass(frozen=True, slots=True, kw_only=True)
class SelfTrainingTrial:
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
        ...     return SelfTrainingTrial(labelled=9, unlabelled=9, wrong=0.1, gained=gained,
        ...                              lost=lost, before=0.5, after=0.6)
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
    trial: SelfTrainingTrial

    @property
    def on(self) -> bool:
        return self.trial.wins


Mine = Callable[[Miner, Sequence[LabelledEvidence]], Sequence[Rule]]
"""Mines these examples with this miner."""


def _mine(miner: Miner, examples: Sequence[LabelledEvidence]) -> Sequence[Rule]:
    return miner.mine(examples).rules


def mine_with_unlabelled(
    miner: Miner,
    labelled: Sequence[LabelledEvidence],
    unlabelled: Sequence[UnlabelledEvidence],
    *,
    held_out: HeldOutSettings,
    settings: SelfTrainingSettings | None = None,
    mine: Mine = _mine,
    known: Sequence[tuple[Rule, ...]] = (),
) -> SelfTrained:
    """Mine, let the rules label what is unlabelled, mine again, and keep what does better.

    Reliabilities, and the comparison, are by labelled examples alone; what is unlabelled must be
    of other dialogues, or a fold would be mined while it is held out.

    Args:
        miner: of the task.
        labelled: of one task.
        unlabelled: of the same task.
        held_out: which labelled examples form a fold.
        settings: when an unlabelled example is labelled.
        mine: is asked for each mining in turn: the first ones without each fold and of all, and
            as many second ones.
        known: what an earlier run was given for the first of these before it was stopped.

    Raises:
        UnknownConcept: the lexicon lacks a concept of a written rule.
        UnreadEvidence: an example's channel or fact is unread.
    """
    settings = settings or SelfTrainingSettings()
    count = minings_in_round(held_out)
    first = mine_labelled(miner, labelled, held_out=held_out, mine=mine, known=known[:count])
    again = known[count:]
    steps = second_minings(
        miner,
        labelled,
        unlabelled,
        first=first,
        held_out=held_out,
        settings=settings,
        done=len(again),
    )
    rules = [*again, *(mine(noisy, examples) for noisy, examples in steps)]
    pseudo = pseudo_labels(first, unlabelled, held=None, lexicon=miner.lexicon, settings=settings)
    second = judged(miner, rules, labelled, held_out=held_out, pseudo=pseudo.examples)
    return compared(first, second, pseudo, unlabelled=len(unlabelled))


def minings_in_round(held_out: HeldOutSettings) -> int:
    """One without each fold, and one of all examples."""
    return held_out.folds + 1


def mine_labelled(
    miner: Miner,
    labelled: Sequence[LabelledEvidence],
    *,
    held_out: HeldOutSettings,
    mine: Mine = _mine,
    known: Sequence[tuple[Rule, ...]] = (),
) -> Mined:
    """Mine and judge by labelled examples alone; arguments as of `mine_with_unlabelled`."""
    found = find_by_fold(
        lambda examples: mine(miner, examples), labelled, settings=held_out, known=known
    )
    return judged(miner, list(found), labelled, held_out=held_out)


def judged(
    miner: Miner,
    found: Sequence[Sequence[Rule]],
    labelled: Sequence[LabelledEvidence],
    *,
    held_out: HeldOutSettings,
    pseudo: Sequence[LabelledEvidence] = (),
) -> Mined:
    """What the found rules are worth, beside the written ones of the miner."""
    return judge(
        found,
        labelled,
        lexicon=miner.lexicon,
        written=miner.written,
        pseudo=pseudo,
        settings=held_out,
    )


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
    trial = SelfTrainingTrial(
        labelled=len(pseudo.examples),
        unlabelled=unlabelled,
        wrong=pseudo.wrong,
        gained=pairs.count((False, True)),
        lost=pairs.count((True, False)),
        before=weighted_f1(before),
        after=weighted_f1(after),
    )
    return SelfTrained(mined=second if trial.wins else first, trial=trial)
