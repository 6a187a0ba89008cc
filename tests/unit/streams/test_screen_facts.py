"""What is measured of a screenshot's pixels."""

from io import BytesIO

import pytest
from PIL import Image

from streams.image_checks import check_image
from streams.screen_facts import height_by_width, white_share


def encoded(picture: Image.Image, kind: str = "PNG", **options: object) -> bytes:
    content = BytesIO()
    picture.save(content, kind, **options)
    return content.getvalue()


def striped(width: int, height: int, white_rows: int) -> Image.Image:
    """Black, with so many white rows at the top."""
    picture = Image.new("RGB", (width, height))
    picture.paste((255, 255, 255), (0, 0, width, white_rows))
    return picture


@pytest.mark.parametrize(
    ("colour", "white"),
    [
        ((255, 255, 255), 1.0),
        ((240, 240, 240), 1.0),
        ((239, 255, 255), 0.0),
        ((255, 239, 255), 0.0),
        ((255, 255, 239), 0.0),
        ((0, 0, 0), 0.0),
    ],
)
def test_a_pixel_is_white_when_none_of_its_colours_is_below_240(
    colour: tuple[int, int, int], white: float
) -> None:
    assert white_share(encoded(Image.new("RGB", (3, 2), colour))) == white


@pytest.mark.parametrize("kind", ["PNG", "WEBP"])
def test_every_pixel_counts_alike(kind: str) -> None:
    """3 of 7 rows are .42857…; one row of 1,001 would fall between the samples of a thumbnail."""
    options = {"lossless": True} if kind == "WEBP" else {}
    assert white_share(encoded(striped(5, 7, 3), kind, **options)) == 0.4286
    assert white_share(encoded(striped(3, 1001, 1), kind, **options)) == 0.001


def test_a_lossy_white_is_still_white() -> None:
    """Blocks of 8 pixels that are all white or all black come through a JPEG as they are."""
    assert white_share(encoded(striped(64, 64, 48), "JPEG")) == 0.75


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "I;16"])
def test_every_kind_of_picture_that_passes_the_intake_has_a_share(mode: str) -> None:
    content = encoded(Image.new(mode, (4, 4)))
    check_image(content)
    assert white_share(content) == 0.0


def test_a_picture_for_print_has_a_share() -> None:
    content = encoded(Image.new("CMYK", (4, 4)), "JPEG")
    check_image(content)
    assert white_share(content) == 1.0


def test_an_upright_image_is_higher_than_wide() -> None:
    assert height_by_width(1080, 1920) == 1.7778
    assert height_by_width(8192, 1) == 0.0001
