"""What is fitted by counting on is what asking every row again would give."""

from collections.abc import Sequence
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from rule_store import Vote, agreed, sum_votes
from streams.evaluation import weighted_f1
from streams.fitting import _FUSE_AT, _VOTE_WEIGHTS, NEVER, FitRow, fit_weights
from streams.fusion import FusionWeights, fuse
from streams.running_f1 import RunningF1

LABELS = ("a", "b", "c")
labels = st.sampled_from(LABELS)
answers = st.none() | labels
# Few values, so that rules tie and bounds fall on them.
votes = st.builds(Vote, label=labels, reliability=st.sampled_from((0.3, 0.5, 0.6, 0.75, 0.9, 1.0)))
shares = st.lists(st.integers(1, 9), min_size=3, max_size=3).map(
    lambda parts: {label: part / sum(parts) for label, part in zip(LABELS, parts, strict=True)}
)
rows = st.builds(
    FitRow, label=labels, probabilities=shares, votes=st.lists(votes, max_size=2).map(tuple)
)


def plainly_answered(row: FitRow, weights: FusionWeights) -> str | None:
    said = agreed(row.votes)
    if said is not None and said.reliability >= weights.answer_at:
        return said.label
    return fuse(row.probabilities, sum_votes(row.votes, labels=LABELS), weights=weights).label


def plainly_fitted(rows: Sequence[FitRow], f1_given_up: float) -> FusionWeights:
    """Asks every row again for every set of weights tried."""

    def f1(weights: FusionWeights) -> float:
        return weighted_f1(
            [row.label for row in rows], [plainly_answered(row, weights) for row in rows]
        )

    best = max(
        (FusionWeights(answer_at=NEVER, fuse_at=0.0, vote_weight=w) for w in _VOTE_WEIGHTS), key=f1
    )
    floor = f1(best) - f1_given_up
    known = {said.reliability for row in rows if (said := agreed(row.votes)) is not None}
    for answer_at in sorted(value for value in known if 0.5 <= value < NEVER):
        if f1(replace(best, answer_at=answer_at)) >= floor:
            best = replace(best, answer_at=answer_at)
            break
    for fuse_at in _FUSE_AT[1:]:
        if f1(replace(best, fuse_at=fuse_at)) < floor:
            break
        best = replace(best, fuse_at=fuse_at)
    return best


@given(rows=st.lists(rows, min_size=1, max_size=12), given_up=st.sampled_from((0.0, 0.05, 0.3)))
def test_the_weights_are_those_of_asking_every_row_again(
    rows: list[FitRow], given_up: float
) -> None:
    found = fit_weights(rows, labels=LABELS, f1_given_up=given_up)
    assert found == plainly_fitted(rows, given_up)


@given(
    asked=st.lists(st.tuples(labels, answers), max_size=8),
    changes=st.lists(st.tuples(st.integers(0, 7), answers), max_size=8),
)
def test_f1_after_any_changes_is_that_of_the_answers_as_they_are(
    asked: list[tuple[str, str | None]], changes: list[tuple[int, str | None]]
) -> None:
    right, now = [label for label, _ in asked], [answer for _, answer in asked]
    running = RunningF1(right, now)
    for place, after in changes:
        if place < len(now):
            running.change(right[place], before=now[place], after=after)
            now[place] = after
    assert running.f1 == weighted_f1(right, now)
