import numpy as np

from rule_store.mining.counting import count_pieces


def words(text: str) -> set[str]:
    return set(text.split())


def test_pieces_are_counted_by_label_once_a_text() -> None:
    counted = count_pieces(
        ["b b a", "a", "a c"], np.array([0, 1, 1], dtype=np.int32), pieces=words, least=1, most=3
    )

    assert counted.pieces == ("a", "b", "c")
    assert counted.counts.tolist() == [[1, 2], [1, 0], [0, 1]]


def test_pieces_outside_the_bounds_are_left_out() -> None:
    labels = np.zeros(4, dtype=np.int32)

    counted = count_pieces(["a b c", "a b", "a b", "a"], labels, pieces=words, least=2, most=3)

    assert counted.pieces == ("b",)


def test_a_shared_counter_makes_no_rare_piece_common() -> None:
    texts = [f"w{n}" for n in range(1000)] * 2

    counted = count_pieces(
        texts, np.zeros(2000, dtype=np.int32), pieces=lambda text: {text}, least=3, most=9
    )

    assert counted.pieces == ()


def test_pieces_of_the_same_texts_have_the_same_mark() -> None:
    counted = count_pieces(
        ["a b", "b a c", "c"], np.zeros(3, dtype=np.int32), pieces=words, least=1, most=3
    )
    a, b, c = counted.marks.tolist()

    assert a == b != c


def test_more_pieces_than_foreseen_are_all_counted() -> None:
    text = " ".join(f"w{n}" for n in range(3000))

    counted = count_pieces([text], np.zeros(1, dtype=np.int32), pieces=words, least=1, most=1)

    assert len(counted.pieces) == 3000
    assert counted.counts.sum() == 3000


def test_no_texts_have_no_pieces() -> None:
    assert count_pieces([], np.zeros(0, np.int32), pieces=words, least=1, most=1).pieces == ()
