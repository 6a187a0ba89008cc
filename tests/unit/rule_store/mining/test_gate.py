"""The gate: what each check lets pass, and why it refuses."""

import pytest

from rule_store.mining.gate import (
    Check,
    Compared,
    GateAnswer,
    GateReport,
    GateSettings,
    ReleaseSize,
    judge_candidate,
)

SMALL = ReleaseSize(rules=10, bytes=1000)
SETTINGS = GateSettings(seed=1)


def rows(
    count: int,
    label: str,
    candidate: str | None,
    active: str | None = None,
    *,
    first: bool = False,
    confidence: float = 0.9,
    by_rules: bool = False,
    task: str = "intent",
) -> list[Compared]:
    """Questions of one label that both releases answer alike; `first`: nothing is in force."""
    return [
        Compared(
            example_id=f"{label}-{number}",
            task=task,
            label=label,
            candidate=GateAnswer(label=candidate, confidence=confidence, by_rules=by_rules),
            active=None if first else GateAnswer(label=active, confidence=0.5, by_rules=True),
        )
        for number in range(count)
    ]


def judged(*compared: list[Compared], **settings: float) -> GateReport:
    together = [row for some in compared for row in some]
    given = GateSettings(seed=1, **settings)  # type: ignore[arg-type]
    return judge_candidate(together, size=SMALL, settings=given)


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
    assert each.said == "with 10 examples or more: 1, none clearly worse"
    refused = judged(
        rows(60, "track", "track", None), rows(9, "refund", None, "refund"), label_support=9
    )
    assert not check(refused, "intent, each label").passed


def test_reliabilities_that_are_not_kept_are_refused() -> None:
    """Rules say .9 of twenty answers and are right in half of them: .4 apart."""
    report = judged(
        rows(10, "track", "track", "track", by_rules=True),
        rows(10, "refund", "track", "track", by_rules=True),
    )
    calibration = check(report, "calibration")
    assert not calibration.passed
    assert calibration.said.startswith("20 answers by rules, on average 0.400 from their reliabi")


def test_reliabilities_that_are_kept_pass_and_the_model_is_not_meant() -> None:
    report = judged(
        rows(18, "track", "track", "track", by_rules=True),
        rows(2, "refund", "track", "track", by_rules=True),
        rows(20, "other", "track", "track"),
    )
    calibration = check(report, "calibration")
    assert calibration.passed
    assert calibration.said.startswith("20 answers by rules, on average 0.000 ")


def test_without_an_answer_by_rules_nothing_is_uncalibrated() -> None:
    assert check(judged(rows(20, "track", "track", "track")), "calibration").passed


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
    assert report.refusals[0].said.startswith("19 in the admission split, 20 are asked for")
    assert not judged([]).passed


def test_the_first_release_must_be_better_than_guessing() -> None:
    """The commonest label is right in 12 of 20 cases, .6; of ten answers six must be."""
    right = (rows(6, "track", "track", first=True), rows(6, "track", None, first=True))
    report = judged(
        *right, rows(4, "refund", "track", first=True), rows(4, "other", None, first=True)
    )
    assert report.passed
    overall = check(report, "intent, all labels")
    assert overall.said.startswith("nothing is in force; 6 of 10 answers are right, ")
    worse = judged(
        *right, rows(5, "refund", "track", first=True), rows(3, "other", None, first=True)
    )
    assert not check(worse, "intent, all labels").passed


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
