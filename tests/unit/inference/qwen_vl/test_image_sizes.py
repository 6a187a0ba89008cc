"""Images come in few sizes, none larger than the budget."""

from hypothesis import given
from hypothesis import strategies as st

from inference.qwen_vl.image_sizes import ASPECTS, HALVINGS, image_grid

sides = st.integers(1, 10_000)


@given(width_px=sides, height_px=sides, most_units=st.integers(1, 1_024))
def test_no_image_takes_more_than_its_budget(
    width_px: int, height_px: int, most_units: int
) -> None:
    rows, columns = image_grid(width_px, height_px, unit_px=28, most_units=most_units)
    assert rows >= 1
    assert columns >= 1
    assert rows * columns <= most_units


@given(width_px=st.integers(28, 4_000), height_px=st.integers(28, 4_000))
def test_an_image_keeps_about_its_shape(width_px: int, height_px: int) -> None:
    if not 1 / 3.4 < height_px / width_px < 3.4:
        return
    rows, columns = image_grid(width_px, height_px, unit_px=28, most_units=1_024)
    assert 0.6 < (rows / columns) / (height_px / width_px) < 1.6


def test_there_are_few_sizes() -> None:
    lengths = [*range(1, 200, 13), *range(200, 9_000, 301)]
    sizes = {
        image_grid(width_px, height_px, unit_px=28, most_units=256)
        for width_px in lengths
        for height_px in lengths
    }
    assert len(sizes) <= len(ASPECTS) * (HALVINGS + 1)


def test_a_small_picture_costs_less_than_a_screenshot() -> None:
    rows, columns = image_grid(100, 100, unit_px=28, most_units=256)
    assert rows * columns == 16
    rows, columns = image_grid(1080, 1080, unit_px=28, most_units=256)
    assert rows * columns == 256
