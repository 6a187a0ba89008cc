"""What a screenshot goes through before it reaches the shop: cropping and specks."""

from typing import Final

from PIL import Image

from deploy.quickstart.draws import Draws

CROPPED_SHARE: Final = 0.35
SPECKED_SHARE: Final = 0.3


def cropped(image: Image.Image, draws: Draws) -> Image.Image:
    """Cut a strip or about half off the top, with the title, or off the bottom."""
    strip = (
        draws.between(48, 90) if draws.chance(0.6) else image.height * draws.between(35, 55) // 100
    )
    top, bottom = (strip, 0) if draws.chance(0.6) else (0, strip)
    return image.crop((0, top, image.width, image.height - bottom))


def specked(image: Image.Image, draws: Draws) -> Image.Image:
    """Scatter small grey specks."""
    worn = image.copy()
    for _ in range(draws.between(60, 220)):
        x, y = draws.between(0, image.width - 3), draws.between(0, image.height - 2)
        worn.paste((128, 128, 128), (x, y, x + draws.between(1, 2), y + 1))
    return worn


def worn(image: Image.Image, draws: Draws) -> Image.Image:
    if draws.chance(CROPPED_SHARE):
        image = cropped(image, draws)
    if draws.chance(SPECKED_SHARE):
        image = specked(image, draws)
    return image
