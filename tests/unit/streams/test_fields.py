"""Every field of a record is read with its type and its bound, and refused by its place."""

import math
from collections.abc import Callable

import pytest

from streams.errors import DecodeError
from streams.fields import Fields

INT_MAX = 2**63 - 1


def fields(value: object) -> Fields:
    return Fields({"x": value}, "event.turns[2]")


def refusal(read: Callable[[], object]) -> str:
    with pytest.raises(DecodeError) as caught:
        read()
    return caught.value.detail


def test_what_is_no_map_is_refused_by_its_place() -> None:
    assert refusal(lambda: Fields([], "event")) == "event is list, expected a map"


def test_a_refusal_names_the_place_and_never_the_value() -> None:
    detail = refusal(lambda: fields("my secret").text("x", 3))
    assert detail == "event.turns[2].x must be a string of 1 to 3 characters"


@pytest.mark.parametrize("value", ["", "abcd", b"abc", 7, None, ["a"]])
def test_a_text_is_a_string_within_its_bound(value: object) -> None:
    refusal(lambda: fields(value).text("x", 3))


def test_a_text_may_be_empty_only_where_that_is_said() -> None:
    assert fields("").text("x", 3, empty=True) == ""
    assert fields("abc").text("x", 3) == "abc"


@pytest.mark.parametrize("value", [-1, 2**63, True, 1.0, "1"])
def test_an_integer_is_not_negative_and_fits_63_bits(value: object) -> None:
    refusal(lambda: fields(value).integer("x"))


def test_an_integer_may_have_a_bound_of_its_own() -> None:
    assert fields(INT_MAX).integer("x") == INT_MAX
    assert fields(5).integer("x", most=5) == 5
    assert refusal(lambda: fields(6).integer("x", most=5)).endswith("an integer from 0 to 5")


@pytest.mark.parametrize("value", [-0.1, 1.1, math.nan, math.inf, True, "0.5", None])
def test_a_probability_is_a_number_from_0_to_1(value: object) -> None:
    refusal(lambda: fields(value).number("x"))


@pytest.mark.parametrize("value", [0, 1, 0.5])
def test_a_probability_is_read_as_a_float(value: float) -> None:
    assert fields(value).number("x") == value
    assert type(fields(value).number("x")) is float


@pytest.mark.parametrize("value", [0, "true", b"\x01"])
def test_a_flag_is_true_or_false(value: object) -> None:
    refusal(lambda: fields(value).flag("x", default=False))


def test_octets_are_bytes_within_their_bound() -> None:
    assert fields(b"").octets("x", 2) == b""
    refusal(lambda: fields(b"abc").octets("x", 2))
    refusal(lambda: fields("ab").octets("x", 2))


def test_one_of_takes_only_the_choices() -> None:
    assert fields("user").one_of("x", ("user", "agent")) == "user"
    assert refusal(lambda: fields("bot").one_of("x", ("user", "agent"))).endswith(
        "one of user, agent"
    )


def test_one_reads_a_map_under_its_own_place() -> None:
    inner = Fields({"who": {"n": 1}}, "shadow")
    assert inner.one("who", lambda row: row.integer("n")) == 1
    assert inner.one_or_none("who", lambda row: row.integer("n")) == 1
    assert refusal(lambda: inner.one("who", lambda row: row.text("n", 3))).startswith(
        "shadow.who.n must be"
    )


@pytest.mark.parametrize("value", [None, 1, "a", [], [{"n": 1}]])
def test_one_is_a_map(value: object) -> None:
    assert refusal(lambda: fields(value).one("x", lambda row: row.integer("n"))).endswith(
        "expected a map"
    )


def test_many_reads_each_map_under_its_own_place() -> None:
    listed = Fields({"rows": [{"n": 1}, {"n": "2"}]}, "tag")
    assert refusal(lambda: listed.many("rows", 2, lambda row: row.integer("n"))).startswith(
        "tag.rows[1].n must be"
    )


@pytest.mark.parametrize(("count", "fits"), [(0, False), (1, True), (2, True), (3, False)])
def test_many_holds_the_list_to_its_bounds(count: int, fits: bool) -> None:
    listed = fields([{"n": 1}] * count)
    if fits:
        assert len(listed.many("x", 2, lambda row: row.integer("n"), at_least=1)) == count
    else:
        refusal(lambda: listed.many("x", 2, lambda row: row.integer("n"), at_least=1))


@pytest.mark.parametrize("value", [["a", ""], ["a", 1], ["abc"], ["a"] * 4, "ab", {"a": 1}])
def test_texts_are_a_bounded_list_of_bounded_strings(value: object) -> None:
    refusal(lambda: fields(value).texts("x", 3, 2))


def test_a_nil_optional_field_counts_as_left_out() -> None:
    """Not every producer's language can leave a field out."""
    nil = fields(None)
    assert nil.text_or_none("x", 3) is None
    assert nil.octets_or_none("x", 3) is None
    assert nil.one_or_none("x", lambda row: row.integer("n")) is None
    assert nil.texts_or_none("x", 3, 3) is None
    assert nil.integer("x", default=4) == 4
    assert nil.flag("x", default=True) is True
    assert nil.many("x", 3, lambda row: row.integer("n")) == ()
    assert nil.texts("x", 3, 3) == ()


def test_a_nil_required_field_is_refused() -> None:
    refusal(lambda: fields(None).integer("x"))
    refusal(lambda: fields(None).many("x", 3, lambda row: row.integer("n"), at_least=1))
