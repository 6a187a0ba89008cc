"""Cutting what one fetch returned into frames."""

from dataclasses import dataclass

from hypothesis import given
from hypothesis import strategies as st

from streams.frames import Frame
from streams.frames.frame import cut


@dataclass(frozen=True)
class Fetched:
    """What is looked at of a client's record."""

    value: bytes | None
    key: bytes | None = None


def sizes(*lengths: int) -> list[Fetched]:
    return [Fetched(bytes(length)) for length in lengths]


def cut_sizes(lengths: list[int], *, max_records: int, max_bytes: int) -> list[list[int]]:
    pieces = cut(sizes(*lengths), max_records=max_records, max_bytes=max_bytes)
    return [[len(record.value) for record in piece] for piece in pieces]


def test_a_piece_holds_at_most_so_many_records() -> None:
    assert cut_sizes([1, 1, 1, 1, 1], max_records=2, max_bytes=100) == [[1, 1], [1, 1], [1]]


def test_a_piece_holds_at_most_so_many_bytes_and_a_larger_record_is_alone() -> None:
    assert cut_sizes([4, 4, 4, 50, 4], max_records=9, max_bytes=10) == [[4, 4], [4], [50], [4]]


def test_keys_and_tombstones_count_what_they_weigh() -> None:
    records = [Fetched(None, bytes(6)), Fetched(bytes(4), None), Fetched(None, None)]
    assert [len(piece) for piece in cut(records, max_records=9, max_bytes=9)] == [1, 2]


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


def test_a_frame_is_a_sequence_that_acknowledges_by_position() -> None:
    acknowledged: list[int] = []

    def acknowledge(position: int) -> bool:
        acknowledged.append(position)
        return True

    frame = Frame(sizes(1, 2, 3), acknowledge)
    assert [len(record.value or b"") for record in frame] == [1, 2, 3]
    assert len(frame[1:]) == 2
    assert frame.ack(1)
    frame.ack_all()
    assert acknowledged == [1, 0, 1, 2]
