"""Counting what a killed worker lost."""

import msgpack

from streams.bench.kill import account


def outputs(*ids: int) -> list[bytes]:
    return [msgpack.packb({"id": number, "label": 1}) for number in ids]


def test_every_record_once_is_nothing_lost_and_nothing_again() -> None:
    assert account(outputs(2, 0, 1), 3) == (0, 0)


def test_missing_and_repeated_records_are_counted() -> None:
    # 1 and 3 are missing; 0 came three times, 4 twice
    assert account(outputs(0, 0, 0, 2, 4, 4), 5) == (2, 3)
