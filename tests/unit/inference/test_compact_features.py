"""What a question turns into, feature by feature."""

import math

import numpy as np
import pytest

from inference.compact.features import FACT_BLOCK, FeatureSpace, from_json, to_json
from inference.compact.observed import CONCEPTS, LINES, OVERLAP, Knowledge, Observer
from inference.compact.screens import FACTS, screen_facts, screen_text
from inference.inputs import ModelInput, Screen, ScreenLine, TaskSpec

SPEC = TaskSpec(name="t", labels=("退款", "发货"), descriptions={"退款": "要求退款"})
KNOWLEDGE = Knowledge.of(SPEC, {"money": ("退款", "Money Back"), "haste": ("快",)})
OBSERVER = Observer(KNOWLEDGE)


def screen(*lines: tuple[str, float], width: int = 100, height: int = 200) -> Screen:
    """Lines with the relative height where each begins; each is a tenth tall."""
    placed = (
        ScreenLine(text=text, score=1.0, box=(0.0, top, 1.0, min(1.0, top + 0.1)))
        for text, top in lines
    )
    pixels = np.full((20, 10, 3), 255, dtype=np.uint8)
    return Screen(width=width, height=height, lines=tuple(placed), pixels=pixels)


def question(last: str = "", *screens: Screen) -> ModelInput:
    return ModelInput(task="t", texts={"last": last}, screens=screens)


def test_concepts_are_counted_by_channel() -> None:
    counts = OBSERVER.observe(question("money back", screen(("快点退款", 0.0)))).counts
    assert counts[CONCEPTS + "last"] == {"money": 1.0}
    assert counts[CONCEPTS + "screen"] == {"money": 1.0, "haste": 1.0}
    assert counts[CONCEPTS + "screen.bottom"] == {}


def test_overlap_is_the_shared_terms_over_the_root_of_the_descriptions() -> None:
    # 退款 is described by 退款 and 要求退款: 退 款 要 求 退款 要求 求退 are 7 terms.
    # 我要退 shares two of them, 要 and 退.
    counts = OBSERVER.observe(question("我要退")).counts
    assert counts[OVERLAP + "last"] == {"退款": pytest.approx(2 / math.sqrt(7))}


def test_screen_lines_are_folded_and_placed() -> None:
    text = screen_text((screen(("Total ￥12", 0.1), ("Middle", 0.5), ("Pay", 0.9)),))
    assert text.screen == "total ¥00\nmiddle\npay"
    assert (text.top, text.bottom) == ("total ¥00", "pay")
    counts = OBSERVER.observe(question("", screen(("Total ￥12", 0.1)))).counts
    assert counts[LINES] == {"total ¥00": 1}


def test_facts_are_as_many_as_promised_with_and_without_lines_and_pixels() -> None:
    bare = Screen(width=10, height=10, lines=())
    for each in (screen(("a", 0.2)), screen(), bare):
        facts = screen_facts((each,))
        assert facts is not None
        assert facts.shape == (FACTS,)
        assert np.isfinite(facts).all()
    assert screen_facts(()) is None


def test_a_white_screen_is_all_white_whatever_its_pixels_number() -> None:
    small, large = screen(), screen()
    object.__setattr__(large, "pixels", np.full((2000, 1000, 3), 255, dtype=np.uint8))
    one, other = screen_facts((small,)), screen_facts((large,))
    assert one is not None
    assert other is not None
    assert one[15 + 16] == 1.0
    assert one.tolist() == other.tolist()


@pytest.mark.parametrize(("width", "height"), [(0, 0), (1, 1), (8192, 1), (1, 8192)])
def test_odd_sizes_give_finite_facts(width: int, height: int) -> None:
    facts = screen_facts((screen(("x", 0.0), width=width, height=height),))
    assert facts is not None
    assert np.isfinite(facts).all()


def test_term_rows_have_the_length_of_their_block() -> None:
    observed = [OBSERVER.observe(question(text)) for text in ("退款", "发货", "何时发货")]
    rows = FeatureSpace.fit(observed, {"last": 0.5}).vectors(observed)
    assert np.linalg.norm(rows, axis=1) == pytest.approx([0.5, 0.5, 0.5])


def test_rare_terms_weigh_more() -> None:
    observed = [OBSERVER.observe(question(text)) for text in ("发货", "发货", "退货")]
    space = FeatureSpace.fit(observed, {"last": 1.0})
    weights = space.blocks["last"].weights
    assert weights["货"] == pytest.approx(1.0)  # log(4/4) + 1
    assert weights["发"] == pytest.approx(math.log(4 / 3) + 1, abs=1e-6)
    assert weights["退"] == pytest.approx(math.log(4 / 2) + 1, abs=1e-6)


def test_terms_that_tell_labels_apart_weigh_more_when_labels_are_known() -> None:
    texts = ("发货", "发钱", "退货", "退钱")  # 发/退 tells the labels apart, 货/钱 does not
    observed = [OBSERVER.observe(question(text)) for text in texts]
    weights = FeatureSpace.fit(observed, {"last": 1.0}, np.array([0, 0, 1, 1])).blocks["last"]
    assert weights.weights["发"] == weights.weights["退"]
    assert weights.weights["货"] == weights.weights["钱"]
    assert weights.weights["发"] > 5 * weights.weights["货"]


def test_what_was_never_seen_in_training_gives_zeros() -> None:
    space = FeatureSpace.fit([OBSERVER.observe(question("发货"))], {"last": 1.0})
    assert not space.vectors([OBSERVER.observe(question("hello"))]).any()


def test_a_space_without_any_feature_still_has_a_width() -> None:
    space = FeatureSpace.fit([OBSERVER.observe(question())], {"last": 1.0, FACT_BLOCK: 1.0})
    assert space.vectors([OBSERVER.observe(question())]).shape == (1, 1)


def test_a_space_survives_its_file() -> None:
    asked = [question("我要退款", screen(("支付成功", 0.1))), question("发货", screen())]
    observed = [OBSERVER.observe(each) for each in asked]
    weights = {"last": 1.0, CONCEPTS + "last": 0.5, OVERLAP + "last": 0.1, FACT_BLOCK: 0.7}
    space = FeatureSpace.fit(observed, weights)
    again, knowledge = from_json(to_json(space, KNOWLEDGE))
    assert knowledge == KNOWLEDGE
    assert again.width == space.width
    assert again.vectors(observed).tolist() == space.vectors(observed).tolist()
    assert to_json(again, knowledge) == to_json(space, KNOWLEDGE)


@pytest.mark.parametrize("content", [b"", b"[]", b"{}", b'{"blocks": [{}]}'])
def test_other_files_are_no_features(content: bytes) -> None:
    with pytest.raises(ValueError):
        from_json(content)


def test_a_hostile_question_stays_bounded() -> None:
    line = ScreenLine(text="退" * 100_000, score=1.0, box=(-5.0, 3.0, 9e9, -1.0))
    page = Screen(width=1, height=1, lines=(line,) * 5000)
    hostile = ModelInput(task="t", texts={"last": "款x" * 500_000}, screens=(page,) * 100)
    counts = OBSERVER.observe(hostile).counts
    assert sum(sum(each.values()) for each in counts.values()) < 100_000
