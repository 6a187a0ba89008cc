"""What an event asks; workers, demo, tests and the counting of losses all use this."""

from streams.domain import Domain
from streams.errors import InvalidEvent
from streams.events import DialogueEvent, ImageRef, Question


def questions(event: DialogueEvent, domain: Domain) -> tuple[Question, ...]:
    """The questions of an event, each of which gets exactly one tag.

    Without `tasks` the latest turn decides: *intent* if it is the user's and has text, *scene*
    once for each of its images, as far as the domain has these tasks.

    Raises:
        InvalidEvent: foreign domain, nothing said at all, an unknown task, or a scene asked of a
            turn without images.
    """
    if event.domain != domain.name:
        raise InvalidEvent(
            f"event of domain {event.domain!r}; this worker serves {domain.name!r}",
            reason="foreign_domain",
        )
    if not any(turn.text.strip() or turn.images for turn in event.turns):
        raise InvalidEvent("event has no text and no image at all", reason="empty_dialogue")
    latest = event.turns[-1]
    if event.tasks is None:
        asks_intent = latest.speaker == "user" and bool(latest.text.strip())
        tasks = [task for task in domain.tasks if task != "intent" or asks_intent]
    else:
        tasks = list(dict.fromkeys(event.tasks))
        _check_tasks(tasks, event, domain)
    return tuple(
        question
        for task in tasks
        for question in (_scenes(latest.images) if task == "scene" else (Question(task=task),))
    )


def _check_tasks(tasks: list[str], event: DialogueEvent, domain: Domain) -> None:
    for task in tasks:
        if task not in domain.tasks:
            known = ", ".join(domain.tasks)
            raise InvalidEvent(
                f"event asks for an unknown task; {domain.name} has {known}", reason="unknown_task"
            )
        if task == "scene" and not event.turns[-1].images:
            raise InvalidEvent("event asks for scene, but its latest turn has no image")


def _scenes(images: tuple[ImageRef, ...]) -> tuple[Question, ...]:
    return tuple(Question(task="scene", image_id=image.image_id) for image in images)


def images_read_for(question: Question, event: DialogueEvent) -> tuple[ImageRef, ...]:
    """The images that are evidence for a question: its own, or those of all user turns."""
    if question.image_id is not None:
        return tuple(
            image
            for turn in event.turns
            for image in turn.images
            if image.image_id == question.image_id
        )
    return tuple(image for turn in event.turns if turn.speaker == "user" for image in turn.images)
