"""Failures of a Kafka client by name: what happened, whether waiting can help, what does."""

from typing import Literal, get_args

from aiokafka import errors

FailureKind = Literal[
    "broker_gone",
    "leader_change",
    "stale_metadata",
    "buffer_full",
    "not_acknowledged",
    "message_too_large",
    "fenced",
    "unauthorized",
    "producer_failed",
]
FAILURE_KINDS: tuple[FailureKind, ...] = get_args(FailureKind)

_CURES: dict[FailureKind, str] = {
    "broker_gone": "no broker answers; see that the cluster runs and can be reached",
    "leader_change": "a partition has no leader; see that its brokers run",
    "stale_metadata": "no broker knows the topic or partition; is it there?",
    "buffer_full": "earlier batches to the partition are not taken; see that its leader runs",
    "not_acknowledged": "brokers answer but do not acknowledge; see min.insync.replicas and disks",
    "message_too_large": "raise max.message.bytes of the topic to the size that is sent",
    "fenced": "the broker no longer knows this producer; a restart begins a new one",
    "unauthorized": "a right was taken away; grant it again and restart",
    "producer_failed": "the client's producer broke; a restart begins a new one",
}

_KINDS: tuple[tuple[FailureKind, tuple[type[BaseException], ...]], ...] = (
    (
        "unauthorized",
        (
            errors.TopicAuthorizationFailedError,
            errors.GroupAuthorizationFailedError,
            errors.ClusterAuthorizationFailedError,
            errors.TransactionalIdAuthorizationFailed,
            errors.SaslAuthenticationFailed,
            errors.AuthenticationFailedError,
        ),
    ),
    (
        "message_too_large",
        (
            errors.MessageSizeTooLargeError,
            errors.RecordListTooLargeError,
        ),
    ),
    (
        "fenced",
        (
            errors.ProducerFenced,
            errors.InvalidProducerEpoch,
            errors.OutOfOrderSequenceNumber,
            errors.UnknownProducerId,
        ),
    ),
    (
        "leader_change",
        (
            errors.NotLeaderForPartitionError,
            errors.LeaderNotAvailableError,
            errors.ReplicaNotAvailableError,
        ),
    ),
    (
        "not_acknowledged",
        (
            errors.NotEnoughReplicasError,
            errors.NotEnoughReplicasAfterAppendError,
            errors.KafkaStorageError,
        ),
    ),
    ("stale_metadata", (errors.UnknownTopicOrPartitionError, errors.StaleMetadata)),
    ("buffer_full", (errors.KafkaTimeoutError,)),
    (
        "broker_gone",
        (
            errors.KafkaConnectionError,
            errors.NodeNotReadyError,
            errors.NoBrokersAvailable,
            errors.RequestTimedOutError,
        ),
    ),
)


def failure_kind(error: BaseException) -> FailureKind:
    """The name of what a client raised; `producer_failed` for what has no other.

    >>> failure_kind(errors.TopicAuthorizationFailedError("orders"))
    'unauthorized'
    """
    for kind, types in _KINDS:
        if isinstance(error, types):
            return kind
    return "producer_failed"


class DeliveryFailed(Exception):
    """Output was not acknowledged, and nothing that led to it may be: end the process, restart.

    kind: its name. within_s: how long was waited, where waiting could have helped.
    """

    def __init__(self, kind: FailureKind, *, detail: str = "", within_s: float | None = None):
        waited = "" if within_s is None else f" for {within_s:g} s"
        what = f" ({detail})" if detail else ""
        super().__init__(f"{kind.replace('_', ' ')}{waited}: {_CURES[kind]}{what}")
        self.kind = kind
        self.within_s = within_s
