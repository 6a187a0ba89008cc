"""Frames: cut from what one fetch returned, acknowledged record by record."""

from collections.abc import Sequence
from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.frames import Frame, Ledger
from streams.frames.frame import cut


@dataclass(frozen=True)
class Fetched:
    """What is looked at of a client's record."""

    value: bytes | None
    key: bytes | None = None
    headers: tuple[tuple[str, bytes | None], ...] = ()


def sizes(*lengths: int) -> list[Fetched]:
    return [Fetched(bytes(length)) for length in lengths]


def cut_sizes(lengths: list[int], *, max_records: int, max_bytes: int) -> list[list[int]]:
    pieces = cut(sizes(*lengths), max_records=max_records, max_bytes=max_bytes)
    assert [size for _, size in pieces] == [weight(piece) for piece, _ in pieces]
    return [[len(record.value) for record in piece] for piece, _ in pieces]


def weight(piece: Sequence[Fetched]) -> int:
    return sum(len(record.value or b"") for record in piece)


def test_a_piece_holds_at_most_so_many_records() -> None:
    assert cut_sizes([1, 1, 1, 1, 1], max_records=2, max_bytes=100) == [[1, 1], [1, 1], [1]]


def test_a_piece_holds_at_most_so_many_bytes_and_a_larger_record_is_alone() -> None:
    assert cut_sizes([4, 4, 4, 50, 4], max_records=9, max_bytes=10) == [[4, 4], [4], [50], [4]]


def test_keys_headers_and_tombstones_count_what_they_weigh() -> None:
    records = [
        Fetched(None, bytes(6)),
        Fetched(bytes(3), None, (("name", bytes(2)), ("x", None))),  # 3 + 4 + 2 + 1
        Fetched(None, None),
    ]
    pieces = cut(records, max_records=9, max_bytes=10)
    assert [(len(piece), size) for piece, size in pieces] == [(1, 6), (2, 10)]


def test_nothing_gives_no_piece() -> None:
    assert cut([], max_records=9, max_bytes=9) == []


@given(
    lengths=st.lists(st.integers(0, 30), max_size=40),
    max_records=st.integers(1, 10),
    max_bytes=st.integers(1, 60),
)
def test_pieces_are_the_records_in_order_within_both_bounds(
    lengths: list[int], max_records: int, max_bytes: int
) -> None:
    pieces = cut_sizes(lengths, max_records=max_records, max_bytes=max_bytes)
    assert [length for piece in pieces for length in piece] == lengths
    for piece in pieces:
        assert 1 <= len(piece) <= max_records
        assert sum(piece) <= max_bytes or len(piece) == 1


def handed_out(ledger: Ledger[str], *lengths: int) -> Frame:
    """A frame of one partition, its records at the offsets 0, 1, 2, …"""
    lease = ledger.hand_out("p", range(len(lengths)), size_bytes=sum(lengths))
    return Frame(sizes(*lengths), lease, ledger)


def test_a_frame_is_a_sequence_of_its_records() -> None:
    frame = handed_out(Ledger(), 1, 2, 3)
    assert len(frame) == 3
    assert [len(record.value) for record in frame] == [1, 2, 3]
    assert len(frame[1].value) == 2
    assert [len(record.value) for record in frame[1:]] == [2, 3]
    assert frame.size_bytes == 6


def test_a_record_is_acknowledged_by_position_and_only_once() -> None:
    ledger = Ledger[str]()
    frame = handed_out(ledger, 1, 1, 1)
    assert frame.ack(1)
    assert not frame.ack(1)
    assert ledger.committable("p") is None
    assert frame.ack(0)
    assert ledger.committable("p") == 2
    with pytest.raises(IndexError):
        frame.ack(3)


def test_the_rest_of_a_frame_is_acknowledged_at_once() -> None:
    ledger = Ledger[str]()
    frame = handed_out(ledger, 1, 1, 1)
    frame.ack(2)
    frame.ack_all()
    frame.ack_all()
    assert ledger.committable("p") == 3
    assert (ledger.in_flight(), ledger.held_bytes) == (0, 0)


def test_a_frame_whose_partition_went_away_is_abandoned_and_acknowledges_nothing() -> None:
    ledger = Ledger[str]()
    frame = handed_out(ledger, 1, 1)
    assert not frame.abandoned
    ledger.forget(["another"])
    assert not frame.abandoned
    ledger.forget(["p"])
    assert frame.abandoned
    again = handed_out(ledger, 1, 1)
    frame.ack_all()
    assert ledger.committable("p") is None
    assert ledger.held_bytes == again.size_bytes == 2
