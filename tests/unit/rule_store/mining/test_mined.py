"""Honest reliabilities, and what held-out rules say."""

from dataclasses import replace

import pytest

from rule_store import Lexicon, Rule, beta
from rule_store.errors import DuplicateRule
from rule_store.folds import fold
from rule_store.mining.calibration import ece, log_loss
from rule_store.mining.cover import CoverSettings
from rule_store.mining.firing_table import FiringTable, Flags
from rule_store.mining.held_out import HeldOutSettings, find_by_fold
from rule_store.mining.mined import Mined, judge
from rule_store.reliability import TrainingCounts
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


def test_a_folds_labels_reach_what_judges_it_through_the_other_minings_alone() -> None:
    """They saw the fold. Without them nothing of its judges changes with its labels; with them the
    counts of its rules do not, and what is believed of them does."""
    wrong = [
        replace(each, label="other") if fold(each.example_id) == 0 else each for each in EXAMPLES
    ]
    alone = [FOUND[0], *[()] * 5]
    settings = HeldOutSettings(cover=CoverSettings(at_most=500, least_gain=0.0))
    for found in (alone, FOUND):
        before, after = (
            judge(found, given, lexicon=NO_CONCEPTS, settings=settings).by_fold[0]
            for given in (EXAMPLES, wrong)
        )
        assert dict(before.training) == dict(after.training)
        assert (before.values() == after.values()) is (found is alone)


def test_labels_of_chance_are_believed_as_chance() -> None:
    """No word tells a label, and the chosen ones look right in two of three cases in training."""
    examples = small_talk(400, seed=3, reliable=0.0)
    found = list(find_by_fold(mine_words, examples, settings=SETTINGS))
    mined = judge(found, examples, lexicon=NO_CONCEPTS, settings=SETTINGS)
    rules = [{each.id: each for each in judges.rules} for judges in mined.by_fold]
    values = [judges.values() for judges in mined.by_fold]
    said, right, before = [], [], []
    for vote in mined.votes:
        for rule_id in vote.rules:
            counts = mined.by_fold[vote.fold].training[rule_id]
            before.append(counts.right / (counts.right + counts.wrong))
            said.append(values[vote.fold][rule_id])
            right.append(rules[vote.fold][rule_id].label == vote.label)
    assert sum(before) / len(before) > 0.6
    assert sum(right) / len(right) < 0.4
    assert sum(said) / len(said) == pytest.approx(sum(right) / len(right), abs=0.03)


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


def test_the_packs_own_rules_take_no_room_from_mined_ones() -> None:
    written = [rule(has(f"unheard of {letter}"), label="other") for letter in "abc"]
    settings = HeldOutSettings(cover=CoverSettings(at_most=3))
    mined = judged(*written, settings=settings)
    assert mined.chosen.rules[:3] == tuple(written)
    assert set(mined.chosen.rules[3:]) == set(judged(settings=settings).chosen.rules)


def test_no_more_rules_are_kept_than_the_size_given() -> None:
    mined = judged(settings=HeldOutSettings(cover=CoverSettings(at_most=3)))
    assert set(mined.chosen.rules) == {
        _signal("where"),
        _signal("back"),
        _signal("hello"),
    }
    assert all(len(each.rules) == 3 for each in mined.by_fold)


def test_intervals_are_computed_for_the_chosen_rules_alone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Two ends for each of three rules, in six judgements; they are most of what judging costs."""
    plain, ends = beta.quantile, []

    def spy(share: float, right: float, wrong: float) -> float:
        ends.append(share)
        return plain(share, right, wrong)

    monkeypatch.setattr(beta, "quantile", spy)
    judged(settings=HeldOutSettings(cover=CoverSettings(at_most=3)))
    assert len(ends) == 2 * 3 * 6


def test_each_fold_is_counted_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Six minings on what they were mined on, and five on the fold that they were not."""
    plain, counted = FiringTable.counts, []

    def spy(table: FiringTable, among: Flags) -> tuple[TrainingCounts, ...]:
        counted.append(among)
        return plain(table, among)

    monkeypatch.setattr(FiringTable, "counts", spy)
    judged()
    assert len(counted) == 6 + 5


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
