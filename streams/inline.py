"""Makes an event's inline images fit into a record, or refuses; never silently."""

import hashlib
from dataclasses import replace

from streams.errors import ImageRejected
from streams.events import DialogueEvent, ImageRef
from streams.images import shrink
from streams.limits import LIMITS


def fit_images(event: DialogueEvent) -> DialogueEvent:
    """The event with its inline images recompressed where they are too large together.

    Images within their even share of the bound stay byte for byte; the others are recompressed to
    the share that is left for them.

    Raises:
        ImageRejected: too many images, or one that does not fit its share however compressed.
    """
    inline = [image for turn in event.turns for image in turn.images if image.content is not None]
    if len(inline) > LIMITS.images_per_event:
        raise ImageRejected(
            f"{len(inline)} images in one event; the limit is {LIMITS.images_per_event}: "
            "leave out the oldest",
            reason="image_too_large",
        )
    sizes = [len(image.content or b"") for image in inline]
    if sum(sizes) <= LIMITS.inline_images_bytes:
        return event
    share = _share(sizes, LIMITS.inline_images_bytes)
    turns = tuple(
        replace(turn, images=tuple(_fit(image, share) for image in turn.images))
        for turn in event.turns
    )
    return replace(event, turns=turns)


def _share(sizes: list[int], budget: int) -> int:
    """The largest share such that all sizes, each cut to it, fit into the budget.

    >>> _share([10, 100, 200], 110)
    50
    """
    left = budget
    for position, size in enumerate(sorted(sizes)):
        share = left // (len(sizes) - position)
        if size > share:
            return share
        left -= size
    return budget


def _fit(image: ImageRef, share: int) -> ImageRef:
    if image.content is None or len(image.content) <= share:
        return image
    content = shrink(image.content, max_bytes=share)
    return replace(
        image, content=content, sha256=hashlib.sha256(content).hexdigest(), media_type=None
    )
