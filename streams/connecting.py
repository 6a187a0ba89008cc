"""Connecting to a cluster; why it did not work out is found out and said in one sentence."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager

from aiokafka.client import AIOKafkaClient
from aiokafka.conn import AIOKafkaConnection, get_ip_port_afi
from aiokafka.errors import (
    IllegalSaslStateError,
    KafkaConnectionError,
    KafkaError,
    NodeNotReadyError,
    RequestTimedOutError,
    SaslAuthenticationFailed,
    UnsupportedSaslMechanismError,
)
from aiokafka.protocol.metadata import MetadataRequest

from streams.cluster import Cluster
from streams.errors import AuthenticationFailed, BrokerUnreachable, StartupError

_REQUEST_WITHIN_MS = 10_000
_LEAVE_WITHIN_S = 0.5


@asynccontextmanager
async def open_client(cluster: Cluster) -> AsyncIterator[AIOKafkaClient]:
    """A connected client for single questions, each bounded in time; closed at the end.

    Raises:
        BrokerUnreachable: nobody answers, or not for long.
        AuthenticationFailed: a certificate, a name or a password is not accepted.
    """
    client = AIOKafkaClient(**cluster.client_options(), request_timeout_ms=_REQUEST_WITHIN_MS)
    try:
        try:
            await client.bootstrap()
        except KafkaConnectionError as error:
            raise await why_unreachable(cluster) from error
        yield client
    except (KafkaConnectionError, NodeNotReadyError, RequestTimedOutError) as error:
        raise BrokerUnreachable(
            f"Kafka answers at {cluster.bootstrap}, but not at the addresses that it gives for its "
            "brokers: see that its advertised.listeners can be reached from here"
        ) from error
    finally:
        await client.close()


async def why_unreachable(cluster: Cluster) -> StartupError:
    """Knock at each address once more and look at what goes wrong; clients only log that."""
    options = dict(cluster.client_options()) | {"request_timeout_ms": _REQUEST_WITHIN_MS}
    del options["bootstrap_servers"]
    for address in cluster.bootstrap.split(","):
        host, port, _ = get_ip_port_afi(address)
        try:
            await _knock(AIOKafkaConnection(host, port, **options))
        except (OSError, KafkaError, TimeoutError) as error:
            said = refusal(error, cluster, f"{host}:{port}")
            if said is not None:
                return said
    return BrokerUnreachable(
        f"no Kafka answers at {cluster.bootstrap}: start one with `kdsl broker`, "
        "or name yours with --bootstrap (KDSL_BOOTSTRAP)"
    )


async def _knock(connection: AIOKafkaConnection) -> None:
    try:
        await connection.connect()
        await connection.send(MetadataRequest([]))
    finally:
        closed = connection.close()
        if closed is not None:
            # TLS takes leave of the other side before its socket closes.
            await asyncio.wait({closed}, timeout=_LEAVE_WITHIN_S)


def refusal(error: BaseException, cluster: Cluster, address: str) -> StartupError | None:
    """What stands behind a failed connection, if somebody was there at all."""
    for cause in _causes(error):
        match cause:
            case ssl.SSLCertVerificationError():
                return AuthenticationFailed(
                    f"the certificate of {address} is not trusted ({cause.verify_message}): name "
                    "its authority with KDSL_TLS_CA, and the broker as its certificate does"
                )
            case ssl.SSLError():
                return AuthenticationFailed(
                    f"no TLS with {address} ({cause}): see that it is the port of a TLS "
                    "listener, and whether it asks for a certificate (KDSL_TLS_CERTIFICATE)"
                )
            case SaslAuthenticationFailed():
                return AuthenticationFailed(
                    f"Kafka at {address} does not accept the password of user {cluster.username}: "
                    "check KDSL_SASL_USERNAME, KDSL_SASL_PASSWORD and KDSL_SASL_MECHANISM"
                )
            case UnsupportedSaslMechanismError():
                return AuthenticationFailed(
                    f"Kafka at {address} does not take {cluster.mechanism}: "
                    "set KDSL_SASL_MECHANISM to one that it does"
                )
            case IllegalSaslStateError():
                return AuthenticationFailed(
                    f"Kafka at {address} takes no name and password there: "
                    "set KDSL_SECURITY as that listener has it"
                )
            case KafkaConnectionError() | ConnectionResetError() | ConnectionAbortedError():
                return BrokerUnreachable(
                    f"somebody at {address} ends the conversation: see that security "
                    f"{cluster.security} (KDSL_SECURITY) is what that listener speaks"
                )
    return None


def _causes(error: BaseException) -> Iterator[BaseException]:
    """Innermost first: the client wraps what TLS says into errors of its own."""
    if error.__cause__ is not None:
        yield from _causes(error.__cause__)
    yield error
