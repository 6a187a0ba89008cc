"""One mining: examples to rules, chosen by these examples alone."""

from collections.abc import Iterator
from dataclasses import replace
from itertools import count

import pytest

from rule_store import Lexicon, Rule
from rule_store.lint import lint_rules
from rule_store.mining.miner import LabelMined, Miner
from rule_store.mining.miner_settings import MinerSettings, ProposerName, SearchName
from rule_store.mining.reward import Mdl, WilsonGain
from rule_store.mining.table import LabelledEvidence
from rule_store.rules import RuleSet
from tests.mined import LABELS, example, examples
from tests.mining import small_talk
from tests.rules import has, rule

EXAMPLES = examples(6)
TALK = [
    example(each.example_id, each.label, each.evidence.texts["last"])
    for each in small_talk(150, reliable=0.9)
]
WHERE, MONEY, HELLO = (
    rule(has("where"), label="track"),
    rule(has("money"), label="refund"),
    rule(has("hello"), label="other"),
)


def miner(**fields: object) -> Miner:
    made = Miner(task="intent", label_names=LABELS, lexicon=Lexicon(concepts={}))
    return replace(made, **fields)  # type: ignore[arg-type]


def test_each_label_gets_the_word_that_saves_more_than_it_costs() -> None:
    """Of six right firings, tp · ln(p / π) = 6 · ln((6 + 1/3) / 7 · 3) = 6.0; a literal costs 4."""
    assert miner()(EXAMPLES) == (WHERE, MONEY, HELLO)


def test_of_three_examples_a_label_no_word_saves_enough() -> None:
    """3 · ln((3 + 1/3) / 4 · 3) = 2.7."""
    assert miner()(EXAMPLES[:9]) == ()


def test_nothing_is_mined_from_nothing() -> None:
    mining = miner().mine([])
    assert (mining.rules, mining.efforts) == ((), ())


def test_a_label_without_examples_gets_no_rule() -> None:
    given = [each for each in examples(12) if each.label != "other"]
    assert {each.label for each in miner()(given)} <= {"track", "refund"}


def test_what_the_pack_says_is_not_found_again() -> None:
    assert miner(written=(WHERE,))(EXAMPLES) == (MONEY, HELLO)


def test_no_rule_contradicts_the_pack() -> None:
    assert miner(written=(rule(has("where"), label="refund"),))(EXAMPLES) == (MONEY, HELLO)


@pytest.mark.parametrize("search", ["mcts", "beam"])
@pytest.mark.parametrize("proposer", ["statistical", "linear", "uniform"])
def test_every_search_and_proposer_gives_rules_without_lint_errors_and_again_the_same(
    search: SearchName, proposer: ProposerName
) -> None:
    made = miner(settings=MinerSettings(search=search, proposer=proposer, iterations=10))
    rules = made(TALK)
    signals = {rule(has(word), label=label) for word, label in _SIGNALS.items()}
    assert signals <= {replace(each, note=None) for each in rules if len(each.body) == 1}
    assert rules == made(TALK)
    assert _lint_errors(rules) == []


_SIGNALS = {"where": "track", "back": "refund", "hello": "other"}


def _lint_errors(rules: tuple[Rule, ...]) -> list[str]:
    findings = lint_rules(
        RuleSet(task="intent", rules=rules), lexicon=Lexicon(concepts={}), labels=LABELS
    )
    return [each.message for each in findings if each.severity == "error"]


def test_the_reward_follows_from_how_many_examples_a_label_has() -> None:
    settings = MinerSettings(few=6)
    assert isinstance(settings.reward(EXAMPLES), Mdl)
    assert isinstance(settings.reward([*EXAMPLES, EXAMPLES[0]]), WilsonGain)


def test_labels_are_told_as_they_are_found_with_what_they_cost() -> None:
    told: list[LabelMined] = []
    mining = miner(watcher=told.append).mine(EXAMPLES)
    assert [each.label for each in told] == list(LABELS)
    assert [(each.rules, each.right, each.covered) for each in told] == [
        ((WHERE,), (6,), (6,)),
        ((MONEY,), (6,), (6,)),
        ((HELLO,), (6,), (6,)),
    ]
    assert mining.efforts == tuple(each.effort for each in told)
    assert all(each.trace[0].expansions == 1 for each in mining.efforts)


def test_out_of_time_every_label_still_gets_rules_of_one_literal() -> None:
    late: Iterator[int] = count(step=1000)
    settings = MinerSettings(budget_s=1.0)
    rules = miner(settings=settings, clock=lambda: float(next(late)))(TALK)
    assert {each.label for each in rules} == set(LABELS)
    assert {len(each.body) for each in rules} == {1}


def test_with_time_enough_a_budget_changes_nothing() -> None:
    still = miner(settings=MinerSettings(budget_s=1e9), clock=lambda: 0.0)
    assert still(TALK) == miner()(TALK)


def test_the_order_of_the_labels_is_that_of_the_task() -> None:
    given: list[LabelledEvidence] = EXAMPLES[::-1]
    assert [each.label for each in miner()(given)] == list(LABELS)
