"""Which tasks a refresh may not change, and what they keep of the release in force."""

from collections.abc import Collection, Mapping
from dataclasses import replace

from rule_store import InvalidRelease, Release, TaskRules
from streams.admission import Split
from streams.brief import brief
from streams.domain import Domain
from streams.errors import InvalidDomain


def kept_tasks(domain: Domain, split: Split, *, least: int) -> dict[str, str]:
    """The tasks of which nothing is learned, or nobody could judge what is; and why.

    None are kept where this holds of all: the gate asks for more examples then.

    Args:
        domain: brings the tasks.
        split: what is learned from, and what the gate reads.
        least: dialogues by which the gate judges a task.
    """
    kept = {}
    for task in domain.tasks:
        learned = any(each.question.task == task for each in split.learn)
        judged = {each.dialogue_id for each in split.admission if each.question.task == task}
        if not learned:
            kept[task] = "no example to learn from"
        elif len(judged) < least:
            kept[task] = f"{len(judged)} dialogues in the admission split, {least} are asked for"
    return kept if len(kept) < len(domain.tasks) else {}


def keep(release: Release, active: Release, tasks: Collection[str]) -> Release:
    """Put rules, reliabilities and weights of the active release into a candidate.

    Raises:
        InvalidDomain: its rules do not fit the pack's lexicon any more.
    """
    kept = {task: _kept(release, active, task) for task in tasks}
    settings = release.settings
    if _any_fitted(kept) and active.settings.get("hold_out") != "admission":
        # What they were mined from is the next gate's to know.
        settings = {**settings, "hold_out": active.settings.get("hold_out", "none")}
    try:
        return replace(release, tasks={**release.tasks, **kept}, settings=settings)
    except InvalidRelease as error:
        raise InvalidDomain(
            f"{' and '.join(kept)}: too few examples to mine rules, and those of the release in "
            f"force do not fit the pack ({error}): label more, put back what they need, or "
            "activate by hand what shall rule"
        ) from error


def kept_in_words(kept: Mapping[str, str], active: str) -> tuple[str, ...]:
    """What is kept of the release in force, a sentence a task."""
    return tuple(
        f"{task}: {why}: rules, reliabilities and weights stay those of release {brief(active)}"
        for task, why in kept.items()
    )


def _kept(release: Release, active: Release, task: str) -> TaskRules:
    """Weights that were fitted with another bundle tell nothing of this one."""
    old, new = active.tasks[task], release.tasks[task]
    if old.defaults or active.bundle == release.bundle:
        return old
    return replace(new, rules=old.rules, reliability=old.reliability)


def _any_fitted(tasks: Mapping[str, TaskRules]) -> bool:
    return any(known.fitted for task in tasks.values() for known in task.reliability.values())
