"""Terms can be counted by hand, and never grow beyond their bound."""

from inference.compact.terms import fold_text, terms


def test_unspaced_text_gives_character_ngrams_of_each_run() -> None:
    assert terms("何时发货?发货", 2) == {
        "何": 1,
        "时": 1,
        "发": 2,
        "货": 2,
        "何时": 1,
        "时发": 1,
        "发货": 2,
    }


def test_spaced_text_gives_words_pairs_and_parts_of_words() -> None:
    counts = terms("my order, my order", 3)
    assert (counts["=my"], counts["=my order"], counts["=order my"]) == (2, 2, 1)
    assert (counts["~<my"], counts["~my>"], counts["~<my>"]) == (2, 2, 2)
    assert counts["~ord"] == 2
    assert "my o" not in counts


def test_no_term_crosses_a_newline() -> None:
    assert "=my order" not in terms("my\norder", 3)
    assert "退款" not in terms("退\n款", 3)


def test_a_typo_shares_parts_with_the_word() -> None:
    assert set(terms("refund", 1)) & set(terms("refnud", 1)) >= {"~<re", "~ref", "~<ref"}


def test_a_huge_text_is_cut() -> None:
    assert terms("退" * 1_000_000, 3) == {"退": 4000, "退退": 3999, "退退退": 3998}
    assert terms("x" * 1_000_000, 1).total() <= 1 + 3 * 26  # one word of 24 letters, in parts


def test_nothing_has_no_terms() -> None:
    assert terms("", 3) == terms("\n\n", 3) == terms("¥ —", 3) == {}


def test_folding_twice_changes_nothing() -> None:
    folded = fold_text(" Ｏrder\t№１２\u3000ﬁne ")
    assert folded == "order no00 fine"
    assert fold_text(folded) == folded
