"""What bounds an event as a whole: its texts and its images together."""

from streams.errors import DecodeError, InvalidRecord
from streams.events import DialogueEvent
from streams.limits import LIMITS


def check_bounds(event: DialogueEvent) -> None:
    """Hold a decoded event against the bounds that no single field can exceed.

    Raises:
        InvalidRecord: too much text, too many or too large images, or two of one id.
    """
    _check_texts(event)
    _check_images(event)


def _check_texts(event: DialogueEvent) -> None:
    chars = sum(len(turn.text) for turn in event.turns)
    if chars > LIMITS.event_text_chars:
        raise DecodeError(
            f"event has {chars} characters of text; the limit is {LIMITS.event_text_chars}: "
            "leave out the oldest turns",
            reason="too_large",
        )


def _check_images(event: DialogueEvent) -> None:
    images = [image for turn in event.turns for image in turn.images]
    if len(images) > LIMITS.images_per_event:
        raise DecodeError(f"event has {len(images)} images; the limit is {LIMITS.images_per_event}")
    if len({image.image_id for image in images}) != len(images):
        raise DecodeError("event has two images of the same image_id")
    inline_bytes = sum(len(image.content) for image in images if image.content is not None)
    if inline_bytes > LIMITS.inline_images_bytes:
        raise InvalidRecord(
            f"event has {inline_bytes} bytes of inline images; the limit is "
            f"{LIMITS.inline_images_bytes}: send larger ones by reference",
            reason="image_too_large",
        )
