"""Moments as people write them."""

import pytest
import typer

from streams.cli.terminal import parse_time


@pytest.mark.parametrize(
    ("text", "expected_ms"),
    [
        ("90s", 10_000_000 - 90_000),
        ("2h", 10_000_000 - 7_200_000),
        ("9d", 0),  # longer ago than the epoch
        ("1970-01-01T00:00:01.001", 1001),
        ("1970-01-01T01:00:00+01:00", 0),
        ("1969-12-31T00:00:00", 0),
    ],
)
def test_a_moment_is_iso_8601_or_an_age(text: str, expected_ms: int) -> None:
    assert parse_time(text, now_ms=10_000_000) == expected_ms


@pytest.mark.parametrize("text", ["", "soon", "5 m", "9" * 5000 + "s", "-5m", "5w"])
def test_anything_else_is_refused_with_examples(text: str) -> None:
    with pytest.raises(typer.BadParameter, match="give ISO 8601"):
        parse_time(text, now_ms=0)
