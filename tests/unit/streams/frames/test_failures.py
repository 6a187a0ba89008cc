"""Every failure of a client has a name, and the name a cure."""

import pytest
from aiokafka import errors

from streams.frames import FAILURE_KINDS, DeliveryFailed, FailureKind, failure_kind

EXPECTED: dict[FailureKind, list[BaseException]] = {
    "broker_gone": [
        errors.KafkaConnectionError("refused"),
        errors.NodeNotReadyError("not connected"),
        errors.NoBrokersAvailable(),
        errors.RequestTimedOutError(),
    ],
    "leader_change": [
        errors.NotLeaderForPartitionError(),
        errors.LeaderNotAvailableError(),
        errors.ReplicaNotAvailableError(),
    ],
    "stale_metadata": [errors.UnknownTopicOrPartitionError(), errors.StaleMetadata()],
    "buffer_full": [errors.KafkaTimeoutError()],
    "not_acknowledged": [
        errors.NotEnoughReplicasError(),
        errors.NotEnoughReplicasAfterAppendError(),
        errors.KafkaStorageError(),
    ],
    "message_too_large": [errors.MessageSizeTooLargeError(), errors.RecordListTooLargeError()],
    "fenced": [
        errors.ProducerFenced(),
        errors.InvalidProducerEpoch(),
        errors.OutOfOrderSequenceNumber(),
        errors.UnknownProducerId(),
    ],
    "unauthorized": [
        errors.TopicAuthorizationFailedError("orders"),
        errors.GroupAuthorizationFailedError("workers"),
        errors.ClusterAuthorizationFailedError(),
        errors.TransactionalIdAuthorizationFailed("t"),
        errors.SaslAuthenticationFailed(),
        errors.AuthenticationFailedError(),
    ],
    "producer_failed": [
        errors.KafkaError("Unexpected error during batch delivery"),
        errors.ProducerClosed(),
        errors.UnknownError(),
        OSError("not the client's at all"),
    ],
}


def test_every_kind_is_expected_of_something() -> None:
    assert set(EXPECTED) == set(FAILURE_KINDS)


@pytest.mark.parametrize(
    ("kind", "error"),
    [(kind, error) for kind, errors_of in EXPECTED.items() for error in errors_of],
    ids=lambda value: type(value).__name__ if isinstance(value, BaseException) else value,
)
def test_what_a_client_raises_has_a_name(kind: FailureKind, error: BaseException) -> None:
    assert failure_kind(error) == kind


@pytest.mark.parametrize("kind", FAILURE_KINDS)
def test_a_failure_says_its_name_and_a_cure_and_keeps_its_facts(kind: FailureKind) -> None:
    failed = DeliveryFailed(kind, within_s=1.5, detail="topic orders")
    name, _, cure = str(failed).partition(" for 1.5 s: ")
    assert name == kind.replace("_", " ")
    assert len(cure.removesuffix(" (topic orders)").split()) > 4
    assert cure.endswith(" (topic orders)")
    assert "\n" not in str(failed)
    assert (failed.kind, failed.within_s) == (kind, 1.5)


def test_what_fails_at_once_speaks_of_no_wait() -> None:
    assert str(DeliveryFailed("unauthorized")).startswith("unauthorized: ")
    assert DeliveryFailed("unauthorized").within_s is None
