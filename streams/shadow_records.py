"""What workers write to `dialogue.shadow`: answers that would differ, and counts of all."""

from dataclasses import dataclass

from streams.events import Source

# How an abstention is written where a label stands.
NO_LABEL = "(none)"


@dataclass(frozen=True, slots=True, kw_only=True)
class ShadowAnswer:
    """One release's answer to a question; fields as those of a Tag."""

    label: str | None
    confidence: float
    source: Source
    reason: str | None
    rules: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ShadowDifference:
    """A question that the release in force answered and its shadow would not have answered so.

    role: whose answer it was.
    active, shadow: digests of the two releases.
    answered: the tag's answer.
    instead: the shadow's answer; None when it leaves the question open.
    open_reason: why it does: it would first have read a screen or asked the model.
    """

    domain: str
    role: str
    event_id: str
    dialogue_id: str
    turn_index: int
    sent_at_ms: int
    task: str
    image_id: str | None
    active: str
    shadow: str
    answered: ShadowAnswer
    instead: ShadowAnswer | None
    open_reason: str | None
    compared_at_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ShadowTally:
    """Questions of one task, by what became of them.

    same, differs: both releases gave a label or abstained, equally or not.
    open: the shadow would first have read a screen or asked the model.
    skipped: not compared: too much waited, the pair of releases changed, or the shadow failed.
    """

    task: str
    same: int = 0
    differs: int = 0
    open: int = 0
    skipped: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class ShadowCounts:
    """What a worker compared since it last said so; the sum over all records is the whole.

    Records that are delivered again are compared and counted again.
    """

    domain: str
    role: str
    worker: str
    active: str
    shadow: str
    tallies: tuple[ShadowTally, ...]
    at_ms: int


ShadowRecord = ShadowDifference | ShadowCounts
