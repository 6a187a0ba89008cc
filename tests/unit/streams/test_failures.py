"""Too many failures of our own among the last valid records."""

from streams.failures import Failures


def after(outcomes: str, **bounds: float) -> Failures:
    """`F` failed, `.` did not."""
    failures = Failures(**bounds)  # type: ignore[arg-type]
    for outcome in outcomes:
        failures.add(failed=outcome == "F")
    return failures


def test_at_least_100_records_must_have_been_seen() -> None:
    assert not after("F" * 99).too_many
    assert after("F" * 100).too_many


def test_a_fifth_is_not_too_many_and_more_is() -> None:
    assert not after("F" * 20 + "." * 80).too_many
    assert after("F" * 21 + "." * 79).too_many


def test_only_the_last_500_count() -> None:
    failures = after("F" * 101 + "." * 399)
    assert failures.too_many  # 101 of 500
    failures.add(failed=False)
    assert not failures.too_many  # the first one left the window: 100 of 500
    assert failures.summary == "100 of the last 500 valid records"


def test_the_window_forgets_failures_and_successes_alike() -> None:
    failures = after("F.F." + "FF..", window=4, at_least=4, share=0.5)
    assert failures.summary == "2 of the last 4 valid records"
    assert not failures.too_many
