"""What can go wrong on the live path.

StreamsError
├── InvalidRecord            the record can never be processed: dead letter
│   ├── DecodeError            not MessagePack of the expected shape
│   ├── UnknownVersion         a major version this worker does not know; can be redriven later
│   ├── InvalidEvent           well formed, but contradicts the contract or the domain
│   ├── ImageRejected          an image that cannot be evidence: missing, corrupt, too large, …
│   └── OutputTooLarge         what the record led to is larger than its topic takes
├── ImageUnavailable         the image store did not answer: retry
├── ReleaseRefused           a release or activation must not be obeyed; the old one stays
├── NotPublished             an activation is decided, and perhaps not yet in the topic
├── DatasetError             a labelled file is malformed
└── StartupError             the process cannot start; the message names the cure
    ├── MissingExtra           an optional package is not installed
    ├── InvalidSettings        a setting is missing or contradictory
    ├── InvalidDomain          a domain pack is malformed
    ├── LabelMismatch          rules, model and domain disagree on the labels
    ├── BrokerUnreachable      nobody answers at the bootstrap address
    ├── AuthenticationFailed   the broker does not believe us who we are, or we it
    ├── TopicMissing           a topic was never created
    ├── WrongPartitions        a topic has other partitions than it must
    ├── TopicTooSmall          a topic refuses records as large as ours
    ├── RightMissing           the cluster does not let us do what we must
    ├── FolderInUse            another process works in the folder we were told to use
    ├── PortTaken              somebody listens where we were told to
    └── BrokerStartFailed      the local broker died or did not get ready
"""

from typing import ClassVar


class StreamsError(Exception):
    """Base of everything this package raises on purpose."""


class InvalidRecord(StreamsError):
    """A record that no retry can save; it goes to the dead-letter topic with `reason`.

    reason: a short code, the value of `DeadLetter.reason`.
    detail: one sentence for people; never message text.
    """

    reason: str = "invalid"

    def __init__(self, detail: str, *, reason: str | None = None) -> None:
        super().__init__(detail)
        self.detail = detail
        if reason is not None:
            self.reason = reason


class DecodeError(InvalidRecord):
    """The bytes are not a record of the expected kind."""

    reason = "undecodable"


class UnknownVersion(InvalidRecord):
    """The record's major version is not one this worker knows."""

    reason = "unknown_version"


class InvalidEvent(InvalidRecord):
    """The event decodes, but asks for something that cannot be answered."""

    reason = "invalid_event"


class ImageRejected(InvalidRecord):
    """The image of an event cannot be evidence; `reason` says why."""

    REASONS: ClassVar = (
        "image_missing",
        "image_corrupt",
        "image_too_large",
        "image_mislabelled",
        "image_forbidden_uri",
        "image_unavailable",
        "image_kills_reader",
        "image_unreadable",
        "image_too_slow",
    )
    reason = "image_corrupt"


class OutputTooLarge(InvalidRecord):
    """What the record led to is larger than its topic takes; a retry makes it no smaller."""

    reason = "output_too_large"

    def __init__(self, kind: str, *, length: int, bound: int) -> None:
        super().__init__(f"it led to {length} bytes for {kind}, which takes {bound} at most")
        self.kind = kind
        self.length = length
        self.bound = bound


class ImageUnavailable(StreamsError):
    """The image store did not answer in time or answered with an error of its own; retry."""


class ReleaseRefused(StreamsError):
    """A release or an activation that must not be obeyed; the one in force stays.

    digest: of the release; None when the activation itself was refused.
    """

    def __init__(self, why: str, *, digest: str | None = None) -> None:
        super().__init__(why)
        self.digest = digest


class NotPublished(StreamsError):
    """An activation stands in the registry; whether it reached the topic is not known."""


class DatasetError(StreamsError):
    """A labelled file is malformed; the message names file, line and cure."""


class StartupError(StreamsError):
    """The process cannot start; the message is one sentence that names the cure."""


class MissingExtra(StartupError):
    """An optional package is not installed."""

    def __init__(self, package: str, extra: str) -> None:
        super().__init__(
            f"{package} is not installed; it comes with the extra {extra} of kdsl, from its "
            f"checkout: pip install '.[{extra}]'"
        )
        self.package = package
        self.extra = extra


class InvalidSettings(StartupError):
    """A setting is missing, of the wrong type, or contradicts another."""


class InvalidDomain(StartupError):
    """A domain pack is malformed; the message names file, place and cure."""


class LabelMismatch(StartupError):
    """Rules, model and domain disagree on the labels."""


class BrokerUnreachable(StartupError):
    """Nobody answers at the bootstrap address."""


class AuthenticationFailed(StartupError):
    """A certificate, a name or a password is not accepted, by the broker or by us."""


class TopicMissing(StartupError):
    """A topic does not exist on the cluster."""


class WrongPartitions(StartupError):
    """A topic has other partitions than the contract or a setting says."""


class TopicTooSmall(StartupError):
    """A topic does not take records as large as ours may get."""


class RightMissing(StartupError):
    """The cluster does not let us do what we must.

    resource: *topic*, *group* or *cluster*; the last has no name.
    """

    def __init__(
        self, *, user: str, operation: str, resource: str, name: str, bootstrap: str
    ) -> None:
        place = f"{resource} {name}".rstrip()
        super().__init__(
            f"user {user} may not {operation.upper()} {place}: grant it with `kafka-acls.sh "
            f"--bootstrap-server {bootstrap} --add --allow-principal 'User:{user}' "
            f"--operation {operation} --{place}`"
        )
        self.user = user
        self.operation = operation
        self.resource = resource
        self.name = name


class FolderInUse(StartupError):
    """Another process works in the folder we were told to use."""


class PortTaken(StartupError):
    """Somebody else listens on the port we were told to use."""


class BrokerStartFailed(StartupError):
    """The local broker died or did not become ready in time."""
