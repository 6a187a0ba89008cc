"""Rules mined without each fold."""

from collections.abc import Sequence

from rule_store import Rule
from rule_store.folds import fold
from rule_store.mining.held_out import HeldOutSettings, find_by_fold, folds_of
from rule_store.mining.table import LabelledEvidence
from tests.mining import mine_words, small_talk

EXAMPLES = small_talk(60)


def test_each_mining_but_the_last_misses_one_fold() -> None:
    seen: list[list[str]] = []

    def miner(examples: Sequence[LabelledEvidence]) -> Sequence[Rule]:
        seen.append([each.example_id for each in examples])
        return ()

    settings = HeldOutSettings(folds=3, fold_seed=7)
    assert list(find_by_fold(miner, EXAMPLES, settings=settings)) == [()] * 4
    everyone = [each.example_id for each in EXAMPLES]
    assert seen == [
        *([name for name in everyone if fold(name, seed=7, folds=3) != held] for held in range(3)),
        everyone,
    ]


def test_a_stopped_run_goes_on_where_it_stopped() -> None:
    settings = HeldOutSettings()
    whole = list(find_by_fold(mine_words, EXAMPLES, settings=settings))
    for done in range(len(whole) + 1):
        minings: list[int] = []

        def miner(
            examples: Sequence[LabelledEvidence], minings: list[int] = minings
        ) -> Sequence[Rule]:
            minings.append(len(examples))
            return mine_words(examples)

        resumed = find_by_fold(miner, EXAMPLES, settings=settings, known=whole[:done])
        assert list(resumed) == whole
        assert len(minings) == len(whole) - done


def test_folds_are_those_of_the_settings() -> None:
    found = folds_of(EXAMPLES, HeldOutSettings(folds=4, fold_seed=2))
    assert found.tolist() == [fold(each.example_id, seed=2, folds=4) for each in EXAMPLES]
