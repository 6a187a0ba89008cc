"""The wire contracts as values: what producers send, what workers pass on, what comes out."""

import hashlib
from dataclasses import dataclass
from typing import Literal

Speaker = Literal["user", "agent"]
Source = Literal["rules", "model", "fusion", "abstained"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageRef:
    """An image of a turn: its bytes, an allow-listed address, or neither (then it is unread).

    image_id: unique within the event.
    sha256: 64 hex digits of the bytes; when given, other bytes are refused.
    media_type: what the producer says it is; when given, bytes of another type are refused.
    """

    image_id: str
    sha256: str | None = None
    media_type: str | None = None
    content: bytes | None = None
    uri: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """One utterance with the images sent in it."""

    speaker: Speaker
    text: str
    images: tuple[ImageRef, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class DialogueEvent:
    """A dialogue as it stands after its latest turn.

    dialogue_id: Kafka record key; one dialogue stays on one partition, in order.
    sent_at_ms: when the latest turn was sent, UTC milliseconds since the epoch.
    first_turn_index: how many earlier turns the producer left out.
    tasks: what is asked, outright; None derives it from the latest turn.
    """

    domain: str
    event_id: str
    dialogue_id: str
    sent_at_ms: int
    turns: tuple[Turn, ...]
    first_turn_index: int = 0
    tasks: tuple[str, ...] | None = None

    @property
    def turn_index(self) -> int:
        """Index of the latest turn in the whole dialogue."""
        return self.first_turn_index + len(self.turns) - 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """One (task, image) that an event asks; `image_id` is None for the dialogue as a whole."""

    task: str
    image_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenQuestion:
    """A question the tagger could not answer, and why."""

    question: Question
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Deferred:
    """What the tagger hands to the resolver.

    record: the original record of `dialogue.events`, byte for byte, so that fields of later
        minor versions survive the hop.
    accepted_at_ms: Kafka timestamp of that record; promises are counted from it.
    release: digest of the tagger's release, for tracing only.
    redriven: the record was sent again on purpose; promises are waived.
    """

    record: bytes
    questions: tuple[OpenQuestion, ...]
    accepted_at_ms: int
    release: str
    redriven: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """A label with its probability in [0, 1]."""

    label: str
    probability: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Tag:
    """The answer to one question.

    label: None is an abstention, then `reason` says why and `source` is "abstained".
    candidates: the best three labels, best first, never empty.
    rules: ids of the rules that fired. release, bundle: digests of what decided.
    degraded: why it was decided from less than usual, or None.
    accepted_at_ms, decided_at_ms, took_us: when and how long; not part of the answer.
    """

    domain: str
    event_id: str
    dialogue_id: str
    turn_index: int
    sent_at_ms: int
    task: str
    image_id: str | None
    label: str | None
    confidence: float
    candidates: tuple[Candidate, ...]
    source: Source
    reason: str | None
    degraded: str | None
    rules: tuple[str, ...]
    release: str
    bundle: str | None
    accepted_at_ms: int = 0
    decided_at_ms: int = 0
    took_us: int = 0

    @property
    def tag_id(self) -> str:
        """The idempotency key, equal on every redelivery."""
        return digest_of(self.domain, self.event_id, self.task, self.image_id or "")


@dataclass(frozen=True, slots=True, kw_only=True)
class Alert:
    """What an operator should look at.

    alert_id: digest of (domain, dialogue, policy, cooldown window): equal after redelivery.
    window_start_ms: start of the cooldown window in event time.
    """

    alert_id: str
    domain: str
    dialogue_id: str
    event_id: str
    tag_id: str
    policy: str
    task: str
    image_id: str | None
    label: str
    confidence: float
    turn_index: int
    sent_at_ms: int
    window_start_ms: int
    raised_at_ms: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Feedback:
    """An operator's word on a tag: the label that would have been right, or None for none."""

    domain: str
    event_id: str
    dialogue_id: str
    tag_id: str
    task: str
    image_id: str | None
    label: str | None
    operator_id: str
    given_at_ms: int
    note: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DeadLetter:
    """A record that cannot be processed, with its reason and origin.

    key, record: the original bytes; `cut` when one is longer than a dead letter may hold.
    record_sha256, record_length: of the whole original.
    attempts: how often it has been tried: 1, plus once for every redrive.
    """

    reason: str
    detail: str
    role: str
    topic: str
    partition: int
    offset: int
    timestamp_ms: int
    key: bytes | None
    record: bytes | None
    record_sha256: str
    record_length: int
    cut: bool
    attempts: int
    failed_at_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ReleaseInForce:
    """What a worker decides under.

    sequence: of the activation. since_ms: when this worker took it over.
    shadow: digest of the release that it evaluates without effect.
    """

    digest: str
    sequence: int
    since_ms: int
    shadow: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RefusedRelease:
    """What a worker did not obey; without a digest it was an activation, refused unread."""

    digest: str | None
    why: str
    at_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerStatus:
    """How a worker is, said every `interval_ms`; the last record of its key counts.

    worker: record key, without a host's name.
    labels_digest: of the labels whose activations it obeys; None for a role that needs no release.
    refusal: the last one. bundle: digest of the model that it asks.
    uses_fitted_weights: whether fusion weighs as fitted with that bundle; None without a model.
    lag: records of its partitions that are not committed; None while it does not know.
    obstacles: why it is not ready; it is when there are none.
    stopped: its last word before it ended.
    """

    worker: str
    role: str
    domain: str
    version: str
    at_ms: int
    interval_ms: int
    labels_digest: str | None = None
    in_force: ReleaseInForce | None = None
    refusal: RefusedRelease | None = None
    bundle: str | None = None
    uses_fitted_weights: bool | None = None
    lag: int | None = None
    obstacles: tuple[str, ...] = ()
    stopped: bool = False


def digest_of(*parts: str) -> str:
    """32 hex digits of a SHA-256 over length-prefixed parts, so that no two lists collide.

    >>> digest_of("a", "bc") == digest_of("ab", "c")
    False
    """
    hasher = hashlib.sha256()
    for part in parts:
        raw = part.encode()
        hasher.update(len(raw).to_bytes(4, "big"))
        hasher.update(raw)
    return hasher.hexdigest()[:32]
