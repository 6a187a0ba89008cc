"""Inline images are made to fit into a record, or refused; never silently."""

import hashlib
from io import BytesIO

import pytest
from PIL import Image

from streams.errors import ImageRejected
from streams.inline import fit_images
from streams.limits import LIMITS
from tests import factories as make

BUDGET = LIMITS.inline_images_bytes


def noise(side: int) -> bytes:
    """Noise does not compress: about one byte a pixel."""
    content = BytesIO()
    Image.effect_noise((side, side), 90).save(content, "PNG")
    return content.getvalue()


def test_images_that_fit_stay_byte_for_byte() -> None:
    event = make.event(make.user("", make.image("a", bytes(BUDGET)), make.image("b")))
    assert fit_images(event) is event


def test_only_the_images_beyond_their_share_are_recompressed() -> None:
    small, large = make.png(), noise(1000)
    assert len(small) + len(large) > BUDGET
    event = make.event(
        make.user("", make.image("a", small)),
        make.user("", make.image("b", large, sha256="0" * 64, media_type="image/png")),
    )
    fitted = fit_images(event)
    assert fitted.turns[0] == event.turns[0]
    (image,) = fitted.turns[1].images
    assert image.content is not None
    assert len(image.content) <= BUDGET - len(small)
    assert image.sha256 == hashlib.sha256(image.content).hexdigest()
    assert image.media_type is None


def test_two_images_of_one_id_count_twice() -> None:
    """The codec refuses such an event later; here it must not slip under the bound."""
    large = noise(700)
    assert BUDGET / 2 < len(large) < BUDGET
    event = make.event(make.user("", make.image("a", large), make.image("a", large)))
    fitted = fit_images(event)
    assert sum(len(each.content or b"") for each in fitted.turns[0].images) <= BUDGET


def test_too_many_images_are_refused() -> None:
    images = tuple(make.image(str(n), b"x") for n in range(LIMITS.images_per_event + 1))
    with pytest.raises(ImageRejected, match="leave out the oldest"):
        fit_images(make.event(make.user("", *images)))


def test_what_is_too_large_and_no_image_is_refused() -> None:
    with pytest.raises(ImageRejected) as caught:
        fit_images(make.event(make.user("", make.image("a", bytes(BUDGET + 1)))))
    assert caught.value.reason == "image_corrupt"
