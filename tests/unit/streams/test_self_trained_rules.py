"""Rules that were mined from what rules labelled name those examples as their own, too."""

from dataclasses import replace
from pathlib import Path

from rule_store.folds import fold
from rule_store.mining.table import LabelledEvidence
from streams.mined_files import rules_text, write_mined
from streams.rule_files import read_fitted_on
from tests.mined import example, mined_task, unlabelled
from tests.rules import has, rule

# Customers ask in three ways where an order is; those whom nobody labelled say "parcel" as well.
ASKED = ("where", "when", "arrived")
OTHERS = tuple(
    replace(each, dialogue_id=f"of {each.example_id}")
    for each in unlabelled(*[f"{word} parcel" for word in ASKED * 20])
)
# A labelled one of each fold says "parcel" alone: without the others too few to find it.
ALONE = [next(f"p{n}" for n in range(99) if fold(f"p{n}", folds=2) == held) for held in (0, 1)]


def labelled() -> list[LabelledEvidence]:
    words = [("track", word) for word in ASKED] + [("refund", "money"), ("other", "hello")]
    said = [
        example(f"{word}{n}", label, word)
        for label, word in words
        for n in range(12 if label == "track" else 30)
    ]
    return [*said, *(example(name, "track", "parcel") for name in ALONE)]


MINED = mined_task(labelled(), others=OTHERS)
PARCEL = rule(has("parcel"))


def test_a_second_mining_that_wins_answers_what_the_first_could_not() -> None:
    assert MINED.trial is not None
    assert MINED.trial.wins
    assert (MINED.trial.labelled, MINED.trial.gained, MINED.trial.lost) == (60, 2, 0)
    assert PARCEL.id in {each.id for each in MINED.mined.chosen.rules}


def test_a_rule_names_what_rules_labelled_among_the_examples_it_was_fitted_on(
    tmp_path: Path,
) -> None:
    """Once labelled, such a dialogue is not new to it; nor is another moment of it."""
    write_mined([MINED], tmp_path)
    own = {each.example_id for each in OTHERS} | {each.dialogue_id for each in OTHERS}
    assert read_fitted_on(tmp_path / "fitted.json")[PARCEL.id] == own | set(ALONE)


def test_the_head_of_the_rules_says_how_many_examples_rules_labelled() -> None:
    assert rules_text(MINED).splitlines()[0] == (
        "# Mined from 98 examples and 60 that their rules labelled, the pack's own rules first."
    )
