"""The gate: what each check lets pass, and why it refuses."""

import random
from collections.abc import Sequence
from itertools import count as numbers

import pytest

from rule_store.decision import Vote
from rule_store.mining.compared import Compared, GateAnswer
from rule_store.mining.gate import (
    Check,
    GateReport,
    GateSettings,
    ReleaseSize,
    enough,
    judge_candidate,
)

SMALL = ReleaseSize(rules=10, bytes=1000)
SETTINGS = GateSettings(seed=1)

_DIALOGUES = numbers()


def rows(
    count: int,
    label: str,
    candidate: str | None,
    active: str | None = None,
    *,
    first: bool = False,
    fired: Sequence[Vote] = (),
    active_fired: Sequence[Vote] = (),
    task: str = "intent",
    moments: int = 1,
) -> list[Compared]:
    """Questions of one label that both releases answer alike; `first`: nothing is in force.

    Each has a dialogue of its own, or shares it with the next ones of so many `moments`.
    """
    before = None if first else GateAnswer(label=active, votes=tuple(active_fired))
    dialogues = [f"d{next(_DIALOGUES)}" for _ in range(-(-count // moments))]
    return [
        Compared(
            example_id=f"{dialogues[number // moments]}@{number % moments}",
            dialogue_id=dialogues[number // moments],
            task=task,
            label=label,
            candidate=GateAnswer(label=candidate, votes=tuple(fired)),
            active=before,
        )
        for number in range(count)
    ]


def judged(
    *compared: list[Compared], active_learned: bool = False, **settings: float
) -> GateReport:
    together = [row for some in compared for row in some]
    given = GateSettings(seed=1, **settings)  # type: ignore[arg-type]
    return judge_candidate(together, size=SMALL, settings=given, active_learned=active_learned)


def votes(label: str, *reliabilities: float) -> tuple[Vote, ...]:
    return tuple(Vote(label=label, reliability=each) for each in reliabilities)


def check(report: GateReport, name: str) -> Check:
    (found,) = (each for each in report.checks if each.name == name)
    return found


def test_a_candidate_that_answers_the_same_passes() -> None:
    report = judged(rows(15, "track", "track", "track"), rows(15, "refund", None, None))
    assert report.passed
    assert report.refusals == ()
    overall = check(report, "intent, all labels")
    assert overall.said.startswith("weighted F1 0.500, 0.500 of the active one; ")
    assert "at least +0.000" in overall.said


def test_a_candidate_that_answers_the_same_passes_where_nothing_may_be_lost() -> None:
    report = judged(rows(15, "track", "track", "track"), rows(15, "refund", None, None), margin=0)
    assert report.passed
    overall = check(report, "intent, all labels")
    assert overall.said.endswith("at least +0.000 in 19 of 20 cases, +0.000 or more is asked for")


def test_a_candidate_that_is_worse_overall_is_refused() -> None:
    """Ten of thirty are right with the active one alone: F1 of the only label 1 against 0.8."""
    report = judged(rows(20, "track", "track", "track"), rows(10, "track", None, "track"))
    overall = check(report, "intent, all labels")
    assert not overall.passed
    assert overall.said.startswith("weighted F1 0.800, 1.000 of the active one; ")
    assert not report.passed


def test_a_gain_that_may_be_chance_is_refused_and_says_why() -> None:
    """Of forty answers three came right and two went wrong: forty are too few to tell."""
    compared = (
        rows(35, "track", "track", "track"),
        rows(3, "track", "track", None),
        rows(2, "track", None, "track"),
    )
    overall = check(judged(*compared), "intent, all labels")
    assert not overall.passed
    assert "too few examples to tell; label more, or allow a wider margin" in overall.said
    assert check(judged(*compared, margin=0.2), "intent, all labels").passed


def test_a_label_that_is_clearly_worse_is_refused_although_all_together_are_better() -> None:
    report = judged(
        rows(60, "track", "track", None),
        rows(10, "refund", None, "refund"),
    )
    assert check(report, "intent, all labels").passed
    each = check(report, "intent, each label")
    assert not each.passed
    assert each.said == "clearly worse than with the active one: refund (F1 -1.000 at best)"


def test_a_label_with_few_examples_is_not_judged_by_itself() -> None:
    report = judged(rows(60, "track", "track", None), rows(9, "refund", None, "refund"))
    each = check(report, "intent, each label")
    assert each.passed
    assert each.said == "with 10 dialogues or more: 1, none clearly worse"
    refused = judged(
        rows(60, "track", "track", None), rows(9, "refund", None, "refund"), label_support=9
    )
    assert not check(refused, "intent, each label").passed


def test_reliabilities_that_are_not_kept_are_refused() -> None:
    """A rule believed in at .9 fires twenty times and is right in half of them: .4 apart."""
    said = votes("track", 0.9)
    report = judged(
        rows(10, "track", "track", "track", fired=said),
        rows(10, "refund", "track", "track", fired=said),
    )
    calibration = check(report, "intent, calibration")
    assert not calibration.passed
    assert calibration.said.startswith("20 firings, on average 0.400 from their reliability (ECE)")


def test_reliabilities_that_are_kept_pass() -> None:
    said = votes("track", 0.9)
    report = judged(
        rows(18, "track", "track", "track", fired=said),
        rows(2, "refund", "track", "track", fired=said),
        rows(20, "other", "track", "track"),
    )
    calibration = check(report, "intent, calibration")
    assert calibration.passed
    assert calibration.said.startswith("20 firings, on average 0.000 ")


@pytest.mark.parametrize("count", [50, 5000])
def test_honest_rules_that_agree_pass_however_many_examples_there_are(count: int) -> None:
    """Two fire at five of ten examples and are right at all; one at the others, right at three.

    So thirteen of fifteen firings are right, .87, and four of five answers.
    """
    both, one = votes("track", 0.87, 0.87), votes("track", 0.87)
    report = judged(
        rows(count // 2, "track", "track", "track", fired=both),
        rows(count * 3 // 10, "track", "track", "track", fired=one),
        rows(count * 2 // 10, "refund", "track", "track", fired=one),
    )
    assert check(report, "intent, calibration").passed


@pytest.mark.parametrize("count", [200, 5000])
def test_reliabilities_that_are_a_little_off_pass_however_many_examples_there_are(
    count: int,
) -> None:
    """They say .90 and are right in .87 of the cases."""
    said = votes("track", 0.9)
    right = count * 87 // 100
    report = judged(
        rows(right, "track", "track", "track", fired=said),
        rows(count - right, "refund", "track", "track", fired=said),
    )
    assert check(report, "intent, calibration").passed


def test_what_one_task_promises_too_little_makes_nothing_good_that_another_promises_too_much() -> (
    None
):
    """Believed in at .7, and always right; believed in at .7, and right in four of ten."""
    said = votes("track", 0.7)
    report = judged(
        rows(50, "track", "track", "track", fired=said),
        rows(20, "track", "track", "track", fired=said, task="scene"),
        rows(30, "refund", "track", "track", fired=said, task="scene"),
    )
    assert not check(report, "scene, calibration").passed


def test_reliabilities_no_further_off_than_those_in_force_pass() -> None:
    """.2 too high where those of the active one are .3 too high: refusing would keep the worse."""
    before, after = votes("track", 0.8), votes("track", 0.7)
    compared = [
        rows(50, "track", "track", "track", fired=after, active_fired=before),
        rows(50, "refund", "track", "track", fired=after, active_fired=before),
    ]
    calibration = check(judged(*compared), "intent, calibration")
    assert calibration.passed
    assert calibration.said.endswith("; 0.300 with the active one")


def test_rules_that_never_fire_are_not_uncalibrated() -> None:
    assert check(judged(rows(20, "track", "track", "track")), "intent, calibration").passed


@pytest.mark.parametrize(
    ("size", "passed"),
    [
        (ReleaseSize(rules=10, bytes=1000), True),
        (ReleaseSize(rules=11, bytes=1000), False),
        (ReleaseSize(rules=10, bytes=1001), False),
    ],
)
def test_a_release_over_its_size_is_refused(size: ReleaseSize, passed: bool) -> None:
    settings = GateSettings(most_rules=10, most_bytes=1000)
    report = judge_candidate(rows(20, "track", "track", "track"), size=size, settings=settings)
    assert check(report, "size").passed is passed
    assert report.passed is passed


def test_too_few_examples_tell_nothing() -> None:
    assert judged(rows(20, "track", "track", "track")).passed
    report = judged(rows(19, "track", "track", "track"))
    assert [each.name for each in report.refusals] == ["examples"]
    assert report.refusals[0].said.startswith("19 dialogues in the admission split, 20 are asked")
    assert not judged([]).passed
    assert enough({"intent": 20}, SETTINGS).passed
    assert enough({"intent": 19}, SETTINGS) == report.refusals[0]
    assert not enough({}, SETTINGS).passed


def test_the_first_release_must_be_clearly_better_than_guessing() -> None:
    """Guessing is right in half of the cases: F1 2/3 of one label, 1/3 of both."""
    report = judged(
        rows(20, "track", "track", first=True),
        rows(15, "refund", "refund", first=True),
        rows(5, "refund", None, first=True),
    )
    assert report.passed
    overall = check(report, "intent, all labels")
    assert overall.said.startswith("nothing is in force; weighted F1 0.929, 0.333 of always giving")


@pytest.mark.parametrize(
    ("track", "refund"),
    [("track", "track"), (None, None)],
    ids=["the commonest label always", "nothing"],
)
def test_a_first_release_that_knows_nothing_is_refused(
    track: str | None, refund: str | None
) -> None:
    report = judged(rows(60, "track", track, first=True), rows(40, "refund", refund, first=True))
    assert not check(report, "intent, all labels").passed


def test_a_first_release_that_answers_one_of_a_hundred_is_refused() -> None:
    report = judged(
        rows(1, "track", "track", first=True),
        rows(59, "track", None, first=True),
        rows(40, "refund", None, first=True),
    )
    assert not check(report, "intent, all labels").passed


def test_a_task_with_few_examples_is_said_and_not_judged() -> None:
    report = judged(
        rows(12, "track", "track", first=True),
        rows(12, "refund", "refund", first=True),
        rows(1, "receipt", None, first=True, task="scene"),
    )
    assert report.passed
    assert check(report, "examples").said == (
        "dialogues in the admission split: 24 of intent, 1 of scene; by fewer than 10 not judged: "
        "scene"
    )
    assert not any(each.name.startswith("scene") for each in report.checks)


def test_tasks_that_all_have_few_examples_tell_nothing() -> None:
    report = judged(*(rows(9, "track", "track", "track", task=task) for task in ("a", "b", "c")))
    assert [each.name for each in report.refusals] == ["examples"]


BY_HEART = "the active one may have learned from these examples"


def test_what_is_worse_than_an_active_release_that_may_have_learned_the_split_is_for_a_person() -> (
    None
):
    """The active one knows all by heart, or is better: nobody can tell which by these examples."""
    compared = (
        rows(15, "track", "track", "track"),
        rows(5, "track", None, "track"),
        rows(15, "refund", "refund", "refund"),
        rows(5, "refund", None, "refund"),
    )
    overall = check(judged(*compared, active_learned=True), "intent, all labels")
    assert not overall.passed
    assert overall.said.startswith("weighted F1 0.857, 1.000 of the active one; ")
    assert overall.said.endswith(
        f"; {BY_HEART}, and look better than it is: look at the candidate, and sign and activate "
        "it yourself"
    )
    assert BY_HEART not in check(judged(*compared), "intent, all labels").said


def test_a_label_is_told_the_same_way_where_the_active_release_may_have_learned_it() -> None:
    report = judged(
        rows(60, "track", "track", None),
        rows(10, "refund", None, "refund"),
        active_learned=True,
    )
    each = check(report, "intent, each label")
    assert not each.passed
    assert each.said.startswith("clearly worse than with the active one: refund ")
    assert each.said.endswith("sign and activate it yourself")


def test_what_is_no_worse_than_an_active_release_that_may_have_learned_the_split_passes() -> None:
    """Better than guessing it need not be, as it need not where the active one knows nothing."""
    report = judged(
        rows(30, "track", "track", "track"), rows(10, "refund", None, None), active_learned=True
    )
    assert report.passed
    assert not any(BY_HEART in each.said for each in report.checks)


def test_moments_of_one_dialogue_are_no_more_examples_than_the_dialogue() -> None:
    """One hundred questions, all answered rightly: of twenty dialogues, of nineteen, of nine."""
    assert judged(rows(100, "track", "track", "track", moments=5)).passed
    report = judged(rows(95, "track", "track", "track", moments=5))
    assert [each.name for each in report.refusals] == ["examples"]
    report = judged(
        rows(100, "track", "track", "track"),
        rows(45, "receipt", "receipt", "receipt", task="scene", moments=5),
    )
    assert check(report, "examples").said == (
        "dialogues in the admission split: 100 of intent, 9 of scene; by fewer than 10 not "
        "judged: scene"
    )
    assert not any(each.name.startswith("scene") for each in report.checks)


def test_a_label_of_few_dialogues_is_not_judged_by_itself_however_many_their_moments() -> None:
    report = judged(rows(60, "track", "track", None), rows(45, "refund", None, "refund", moments=5))
    assert check(report, "intent, each label").said == (
        "with 10 dialogues or more: 1, none clearly worse"
    )


def test_honest_rules_pass_where_all_moments_of_a_dialogue_come_right_or_wrong() -> None:
    """Right in .8 of the dialogues, as they say: of fifty draws chance refuses a few."""
    said = votes("track", 0.8)
    passed = 0
    for seed in range(50):
        drawn = random.Random(seed)
        right = [drawn.random() < 0.8 for _ in range(40)]
        compared = [
            rows(5, "track" if each else "refund", "track", "track", fired=said, moments=5)
            for each in right
        ]
        passed += check(judged(*compared), "intent, calibration").passed
    assert passed >= 47


def test_a_gain_of_few_dialogues_with_many_moments_may_be_chance() -> None:
    """Three dialogues gained and two lost, of forty with five moments each.

    Were the moments 200 dialogues, fifteen gained and ten lost would pass.
    """

    def compared(moments: int) -> list[list[Compared]]:
        return [
            rows(175, "track", "track", "track", moments=moments),
            rows(15, "track", "track", None, moments=moments),
            rows(10, "track", None, "track", moments=moments),
        ]

    assert check(judged(*compared(1)), "intent, all labels").passed
    assert not check(judged(*compared(5)), "intent, all labels").passed


def test_a_first_release_that_answers_nothing_is_refused() -> None:
    assert not judged(rows(20, "track", None, first=True)).passed


def test_tasks_are_compared_apart() -> None:
    """What one task gains makes nothing good that the other loses."""
    report = judged(
        rows(60, "track", "track", None),
        rows(20, "receipt", None, "receipt", task="scene"),
    )
    assert check(report, "intent, all labels").passed
    assert not check(report, "scene, all labels").passed


def test_the_same_seed_says_the_same() -> None:
    compared = rows(30, "track", "track", None) + rows(10, "refund", None, "refund")
    reports = [judge_candidate(compared, size=SMALL, settings=SETTINGS) for _ in range(2)]
    assert reports[0] == reports[1]
