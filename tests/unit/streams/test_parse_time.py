"""A moment as people write it on the command line."""

import pytest
import typer

from streams.cli.terminal import parse_time

NOW_MS = 1_800_000_000_000


@pytest.mark.parametrize(
    ("text", "moment_ms"),
    [
        (None, None),
        ("90s", NOW_MS - 90_000),
        ("15m", NOW_MS - 900_000),
        ("2h", NOW_MS - 7_200_000),
        ("1d", NOW_MS - 86_400_000),
        ("0s", NOW_MS),
        ("99999999d", 0),
        ("1970-01-01T00:00:01", 1000),  # without a zone it is UTC
        ("1970-01-01T01:00:01+01:00", 1000),
        ("1970-01-02", 86_400_000),
        ("1970-01-01T00:00:00.250Z", 250),
    ],
)
def test_it_is_an_age_or_iso_8601(text: str | None, moment_ms: int | None) -> None:
    assert parse_time(text, now_ms=NOW_MS) == moment_ms


@pytest.mark.parametrize("text", ["", "s", "m", "-5m", "1.5h", "5w", "yesterday", "12:00"])
def test_what_is_neither_is_refused_with_examples(text: str) -> None:
    with pytest.raises(typer.BadParameter, match="90s, 15m, 2h, 1d"):
        parse_time(text, now_ms=NOW_MS)
