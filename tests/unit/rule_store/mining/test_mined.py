"""Honest reliabilities, and what held-out rules say."""

import pytest

from rule_store import Lexicon, Rule
from rule_store.errors import DuplicateRule
from rule_store.folds import fold
from rule_store.mining.calibration import ece, log_loss
from rule_store.mining.cover import CoverSettings
from rule_store.mining.firing_table import FiringTable
from rule_store.mining.held_out import HeldOutSettings, find_by_fold
from rule_store.mining.mined import Mined, judge
from tests.mining import mine_words, small_talk
from tests.rules import has, rule

NO_CONCEPTS = Lexicon(concepts={})
EXAMPLES = small_talk(200, reliable=0.9)
SETTINGS = HeldOutSettings()
FOUND = list(find_by_fold(mine_words, EXAMPLES, settings=SETTINGS))


def judged(*written: Rule, settings: HeldOutSettings = SETTINGS) -> Mined:
    return judge(FOUND, EXAMPLES, lexicon=NO_CONCEPTS, written=written, settings=settings)


def test_rules_of_the_signal_are_believed_and_rules_of_chance_are_not() -> None:
    """Chance finds words that look as good in training: half of them right and more."""
    mined = judged()
    values = mined.chosen.values()
    by_signal = [values[each.id] for each in map(_signal, ("where", "back", "hello"))]
    by_chance = [
        (values[each.id], mined.chosen.training[each.id])
        for each in mined.chosen.rules
        if each.body not in [signal.body for signal in map(_signal, ("where", "back", "hello"))]
    ]
    assert all(0.85 <= value <= 0.98 for value in by_signal)
    assert by_chance
    assert sum(value for value, _ in by_chance) / len(by_chance) < 0.5
    assert all(counts.right > counts.wrong for _, counts in by_chance)


def _signal(word: str) -> Rule:
    labels = {"where": "track", "back": "refund", "hello": "other"}
    return rule(has(word), label=labels[word])


def test_reliabilities_are_calibrated_on_new_examples_and_training_precision_is_not() -> None:
    chosen = judged().chosen
    new = FiringTable.of(chosen.rules, small_talk(400, seed=9, reliable=0.9), lexicon=NO_CONCEPTS)
    said, naive, right = [], [], []
    for place, each in enumerate(chosen.rules):
        came = new.given[new.fires[place]] == new.implied[place]
        counts = chosen.training[each.id]
        said += [chosen.reliability[each.id].value] * len(came)
        naive += [counts.right / (counts.right + counts.wrong)] * len(came)
        right += came.tolist()
    assert 3 * ece(said, right) < ece(naive, right)
    assert log_loss(said, right) < log_loss(naive, right)


def test_votes_come_from_rules_chosen_without_the_example() -> None:
    mined = judged()
    assert [each.example_id for each in mined.votes] == [each.example_id for each in EXAMPLES]
    for vote, example in zip(mined.votes, EXAMPLES, strict=True):
        assert vote.fold == fold(example.example_id)
        assert vote.label == example.label
        rules = mined.by_fold[vote.fold].rules
        table = FiringTable.of(rules, [example], lexicon=NO_CONCEPTS)
        assert vote.rules == tuple(
            each.id for each, fired in zip(rules, table.fires[:, 0].tolist(), strict=True) if fired
        )


def test_a_folds_labels_say_nothing_of_the_reliabilities_that_judge_it() -> None:
    """Only what a mining without another fold made of them may differ: here it is given."""
    wrong = [
        type(each)(example_id=each.example_id, evidence=each.evidence, label="other")
        if fold(each.example_id) == 0
        else each
        for each in EXAMPLES
    ]
    alone = [FOUND[0], *[()] * 5]
    before = judge(alone, EXAMPLES, lexicon=NO_CONCEPTS, settings=SETTINGS).by_fold[0]
    after = judge(alone, wrong, lexicon=NO_CONCEPTS, settings=SETTINGS).by_fold[0]
    assert before == after


def test_written_rules_are_judged_by_every_example() -> None:
    good, bad = _signal("where"), rule(has("hello"), label="track")
    found = judged(good, bad).chosen
    assert found.rules[:2] == (good, bad)
    assert found.reliability[good.id].value > 0.85
    assert found.reliability[bad.id].value < 0.15


def test_a_written_rule_that_no_example_knows_stays() -> None:
    where, unheard = _signal("where"), rule(has("warranty"), label="other")
    found = judged(where, unheard).chosen
    assert unheard in found.rules
    heard, assumed = found.reliability[where.id], found.reliability[unheard.id]
    assert assumed.high - assumed.low > 1.5 * (heard.high - heard.low)


def test_a_mined_rule_names_the_examples_that_it_was_fitted_on() -> None:
    """Those that it covers; a written rule names none."""
    back = _signal("back")
    mined = judged(_signal("where"))
    assert mined.fitted_on[back.id] == tuple(
        each.example_id for each in EXAMPLES if "back" in each.evidence.texts["last"].split()
    )
    chosen = {each.id for each in mined.chosen.rules}
    assert mined.fitted_on.keys() == chosen - {_signal("where").id}


def test_a_mined_rule_that_the_pack_holds_is_the_packs() -> None:
    where = _signal("where")
    assert [each.id for each in judged(where).chosen.rules].count(where.id) == 1


def test_the_same_examples_give_the_same_rules() -> None:
    assert judged(_signal("back")) == judged(_signal("back"))


def test_no_more_rules_are_kept_than_the_size_given() -> None:
    mined = judged(settings=HeldOutSettings(cover=CoverSettings(at_most=3)))
    assert set(mined.chosen.rules) == {
        _signal("where"),
        _signal("back"),
        _signal("hello"),
    }
    assert all(len(each.rules) == 3 for each in mined.by_fold)


def test_nothing_found_leaves_every_vote_empty() -> None:
    mined = judge([()] * 6, EXAMPLES, lexicon=NO_CONCEPTS, settings=SETTINGS)
    assert mined.chosen.rules == ()
    assert {each.rules for each in mined.votes} == {()}


def test_a_mining_too_few_is_refused() -> None:
    with pytest.raises(ValueError, match="one a fold and one of all examples"):
        judge(FOUND[:5], EXAMPLES, lexicon=NO_CONCEPTS, settings=SETTINGS)


def test_a_rule_found_twice_is_refused() -> None:
    twice = [(_signal("where"), _signal("where"))] * 6
    with pytest.raises(DuplicateRule):
        judge(twice, EXAMPLES, lexicon=NO_CONCEPTS, settings=SETTINGS)
