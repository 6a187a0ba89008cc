"""The summary of a mining: figures that can be recounted, and a page that is safe to open."""

from collections.abc import Sequence
from dataclasses import replace

import pytest

from rule_store import Lexicon, Rule
from rule_store.folds import fold
from rule_store.mining.calibration import perfect_ece
from rule_store.mining.found import Improvement
from rule_store.mining.held_out import HeldOutSettings
from rule_store.mining.mined import Mined, judge
from rule_store.mining.miner import Effort
from rule_store.mining.self_training import SelfTrainingTrial
from rule_store.mining.table import LabelledEvidence
from streams.mined_figures import figures
from streams.mined_summary import summary_html
from streams.unlabelled_summary import trial_said
from streams.untaught import without_labels
from tests import factories as make
from tests.mined import DOMAIN, example, examples, mined_task, unlabelled
from tests.rules import has, rule

# Each example says its label's word: the rules of either fold are right at all of the other.
MINED = mined_task()


HELD_OUT = HeldOutSettings(folds=2)


def judged(*found: list[Rule], given: Sequence[LabelledEvidence]) -> Mined:
    return judge(found, given, lexicon=Lexicon(concepts={}), settings=HELD_OUT)


def test_figures_are_of_held_out_examples() -> None:
    """`where` implies track in one fold and refund in the other: who learns one errs in both."""
    labels = ("track", "refund")
    given = [example(f"d{n}", labels[fold(f"d{n}", folds=2)], "where") for n in range(20)]
    track, refund = (rule(has("where"), label=label) for label in labels)
    mined = judged([refund], [track], [track], given=given)
    assert [each.right for rules in mined.by_fold for each in rules.training.values()] == [
        sum(each.label == label for each in given) for label in ("refund", "track")
    ]
    assert [each.wrong for rules in mined.by_fold for each in rules.training.values()] == [0, 0]
    found = figures(mined, ())
    assert (found.weighted_f1, found.spoken, found.firings) == (0.0, 1.0, 20)
    assert found.selective[-1] == (1.0, 0.0)
    assert all(right == 0.0 for _, right in found.reliability)


def test_rules_that_agree_come_right_together_and_those_that_do_not_apart() -> None:
    """Two of three rules that fire say the same."""
    given = [example(f"d{n}", "track" if n % 2 else "refund", "where is it") for n in range(20)]
    rules = [
        rule(has("where"), label="track"),
        rule(has("is"), label="track"),
        rule(has("it"), label="refund"),
    ]
    mined = judged(rules, rules, rules, given=given)
    said, key = [], []
    for vote in mined.votes:
        judged_rules = mined.by_fold[vote.fold]
        for each in judged_rules.rules:
            assert each.id in vote.rules
            said.append(judged_rules.values()[each.id])
            key.append((vote.dialogue_id, each.label))
    assert len({label for _, label in key}) == 2
    found = figures(mined, ())
    assert found.honest_ece == perfect_ece(said, seed=0, together=key)
    assert found.honest_ece != perfect_ece(said, seed=0, together=[of for of, _ in key])


def test_rules_that_agree_at_two_moments_of_a_dialogue_come_right_together() -> None:
    """Ten dialogues of two moments are as few as ten examples."""
    words = [(f"d{n}", "track" if n % 4 else "refund") for n in range(10)]
    apart = [example(f"{of}@{n}", label, "where") for of, label in words for n in range(2)]
    moments = [replace(each, dialogue_id=each.example_id.partition("@")[0]) for each in apart]
    found = rule(has("where"), label="track")
    mined = judged([found], [found], [found], given=moments)
    values = [each.values()[found.id] for each in mined.by_fold]
    said = [values[each.fold] for each in mined.votes]
    key = [each.dialogue_id for each in mined.votes]
    assert len(set(key)) == 10
    assert figures(mined, ()).honest_ece == perfect_ece(said, seed=0, together=key)
    assert figures(mined, ()).honest_ece > perfect_ece(said, seed=0)


def test_where_every_rule_is_right_so_are_the_figures() -> None:
    found = figures(MINED.mined, MINED.efforts)
    assert (found.weighted_f1, found.spoken, found.firings) == (1.0, 1.0, 36)
    assert found.selective[-1] == (1.0, 1.0)
    assert all(right == 1.0 for _, right in found.reliability)


def test_an_example_that_no_rule_knows_counts_as_wrong() -> None:
    """Labels of 13, 12, 12; the first has F1 2·12 / (13 + 12), the others 1."""
    odd = mined_task([*examples(12), example("odd", "track", "umbrella")])
    found = figures(odd.mined, odd.efforts)
    assert found.weighted_f1 == pytest.approx((13 * 24 / 25 + 24) / 37)
    assert found.spoken == pytest.approx(36 / 37)
    assert found.selective[-1][0] == pytest.approx(36 / 37)


def test_convergence_is_the_mean_share_of_the_best_reward() -> None:
    def effort(*steps: tuple[int, float]) -> Effort:
        trace = tuple(Improvement(expansions=n, reward=reward) for n, reward in steps)
        return Effort(label="x", expansions=9, trace=trace)

    efforts = (effort((1, 2.0), (3, 4.0)), effort((2, 5.0)), effort())
    found = figures(MINED.mined, efforts)
    assert found.convergence == ((1.0, 0.25), (2.0, 0.75), (3.0, 1.0))
    given = figures(MINED.mined, efforts, iterations=9)
    assert given.convergence == (*found.convergence, (9.0, 1.0))
    assert figures(MINED.mined, efforts, iterations=3).convergence == found.convergence
    assert figures(MINED.mined, (effort(),), iterations=9).convergence == ()


def test_nothing_mined_still_has_a_page() -> None:
    nothing = mined_task(examples(1))
    found = figures(nothing.mined, nothing.efforts)
    assert (found.weighted_f1, found.spoken, found.firings, found.ece) == (0.0, 0.0, 0, 0.0)
    assert "<h2>intent</h2>" in summary_html([nothing], {})


def test_the_page_needs_nothing_else_and_says_how_it_was_mined() -> None:
    page = summary_html([MINED], {"view": "live", "seed": "0"}, iterations=4)
    assert "<tr><th>view</th><td>live</td></tr>" in page
    assert page.count("<svg") == 3
    assert "src=" not in page
    assert "href=" not in page
    assert "<script" not in page
    assert page == summary_html([mined_task()], {"view": "live", "seed": "0"}, iterations=4)


def test_a_page_names_the_tasks_that_it_is_not_about() -> None:
    page = summary_html([MINED], {}, others=["<b>", "scene"])
    assert (
        "<p>This page is of the last run, about intent. What the folder has of &lt;b&gt; and scene "
        "stays as it was; its figures are not here.</p>"
    ) in page
    assert "the last run" not in summary_html([MINED], {})


def test_a_search_that_improved_once_has_no_curve_unless_its_end_is_known() -> None:
    trace = (Improvement(expansions=1, reward=2.0),)
    once = replace(MINED, efforts=(Effort(label="x", expansions=9, trace=trace),))
    assert "Convergence" not in summary_html([once], {})
    assert "Convergence" in summary_html([once], {}, iterations=40)


def test_where_no_answer_is_sure_enough_the_page_says_so() -> None:
    """No answer of none is right: a share of it says nothing."""
    page = summary_html([mined_task(examples(1))], {})
    said = "nothing: no answer is so surely right"
    assert f"<tr><th>answered when 95% shall be right</th><td>{said}</td></tr>" in page


def test_words_of_customers_stay_words() -> None:
    evil = rule(has("<script>alert(1)</script>"), has("&amp;"), label="other")
    mined = mined_task(written=[evil])
    noted = replace(mined, given=replace(mined.given, messages=("<b>left out</b>",)))
    page = summary_html([noted], {"domain": "<i>"})
    assert "<script" not in page
    assert "&lt;script&gt;" in page
    assert "&amp;amp;" in page
    assert "&lt;b&gt;left out" in page
    assert "<i>" not in page


def test_what_unlabelled_examples_tell_has_a_section_of_its_own() -> None:
    """`where money` is one of four that rules of two labels speak on."""
    mined = mined_task(others=unlabelled("where", "money", "where money", "umbrella"))
    page = summary_html([mined], {})
    assert "<h3>Without labels</h3>" in page
    assert "self-training is off: " in page
    assert "<tr><th>at which a rule fires</th><td>75.0%</td></tr>" in page
    assert "<tr><th>at which rules of two labels fire</th><td>25.0%</td></tr>" in page
    assert "Without labels" not in summary_html([MINED], {})


def test_a_task_without_any_label_has_no_figure_of_held_out_examples() -> None:
    domain = replace(DOMAIN, lexicon=make.domain().lexicon)
    untaught = without_labels(
        domain.tasks["intent"], domain, unlabelled("refund", "<b>"), messages=["<i>left out"]
    )
    page = summary_html([untaught], {})
    assert "held-out" not in page
    assert "<td>none: every reliability is assumed</td>" in page
    assert "<code>last mentions refund</code></td><td>refund (description)</td>" in page


def test_rules_left_out_are_named_where_there_are_some() -> None:
    domain = replace(DOMAIN, lexicon=make.domain().lexicon)
    none = replace(without_labels(domain.tasks["intent"], domain, unlabelled("refund")), left_out=0)
    assert "<td>0 of the pack, 1 from descriptions</td>" in summary_html([none], {})
    page = summary_html([replace(none, left_out=2)], {})
    assert "1 from descriptions; 2 more left out, which agreement or coverage speaks" in page


def test_whether_self_training_is_on_is_said_with_its_figures() -> None:
    trial = SelfTrainingTrial(
        labelled=9, unlabelled=20, wrong=0.1, gained=4, lost=1, before=0.5, after=0.6
    )
    assert trial_said(trial) == (
        "self-training is on: weighted F1 on held-out labelled examples 0.500 without and 0.600 "
        "with it; 4 answers became right and 1 wrong"
    )
    assert trial_said(replace(trial, lost=4)).startswith("self-training is off: weighted F1")
    assert trial_said(replace(trial, labelled=0)) == (
        "self-training is off: the rules are sure enough of no unlabelled example"
    )
