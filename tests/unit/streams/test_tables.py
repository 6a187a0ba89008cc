"""Tables cut no word, however narrow the terminal is."""

from collections.abc import Callable

import pytest
from rich.table import Column

from streams.cli.tables import number_column, print_table, text_column

ID = "0123456789abcdef"
ROW = (ID, "ann", "12 of 480", "said at some length")
Shown = Callable[..., str]


@pytest.fixture
def shown(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Shown:
    """What a table of some rows looks like at a width."""
    note = text_column("note", cells=10)
    columns = (Column("id"), Column("by"), number_column("count"), note)

    def print_at(width: int, *rows: tuple[str, ...], **under: str) -> str:
        monkeypatch.setenv("COLUMNS", str(width))
        print_table(columns, rows, under=under)
        return capsys.readouterr().out

    return print_at


def lines(output: str) -> list[str]:
    return [line.strip() for line in output.splitlines() if line.strip()]


def test_no_word_and_no_number_is_cut_at_any_width(shown: Shown) -> None:
    for width in range(30, 100):
        output = shown(width, ROW, by="id")
        assert ID in output, width
        assert "12 of 480" in output, width
        assert max(map(len, output.splitlines())) <= width


def test_texts_give_way_first(shown: Shown) -> None:
    # 16 + 3 + 9 cells, 3 beside each of four columns and 1 in front leave 10 of 51 to the text.
    heads, _, first, second, third = lines(shown(51, ROW))
    assert heads.split() == ["id", "by", "count", "note"]
    assert first.split() == [ID, "ann", "12", "of", "480", "said", "at"]
    assert (second, third) == ("some", "length")


def test_where_a_table_has_no_room_cells_are_put_below_others(shown: Shown) -> None:
    above, heads, _, first, second, *_ = lines(shown(50, ROW, by="id"))
    assert (above.split(), heads.split()) == (["id"], ["by", "count", "note"])
    assert first.startswith(ID)
    assert second.startswith("ann")


def test_where_even_that_has_no_room_each_row_is_a_block(shown: Shown) -> None:
    assert lines(shown(30, ROW)) == [
        f"id     {ID}",
        "by     ann",
        "count  12 of 480",
        "note   said at some length",
    ]


def test_a_column_that_says_nothing_is_left_out_but_not_the_first(shown: Shown) -> None:
    assert lines(shown(80, ("", "-", "1", ""), ("", "", "2", "")))[0].split() == ["id", "count"]


def test_what_a_terminal_would_obey_is_replaced(shown: Shown) -> None:
    assert "\x1b" not in shown(80, ("a\x1b[2J", "b", "1", ""))
