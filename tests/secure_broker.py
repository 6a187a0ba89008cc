"""A real Kafka as a cautious operator runs it: encrypted, with passwords and rights."""

import time
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Literal, NotRequired, Self, TypedDict, Unpack

from confluent_kafka.admin import (
    AclBinding,
    AclBindingFilter,
    AclOperation,
    AclPermissionType,
    AdminClient,
    ResourcePatternType,
    ResourceType,
)

from streams.broker_config import BrokerConfig
from streams.cluster import Cluster
from streams.local_broker import LocalBroker
from streams.ports import HOST, free_port
from tests.certificates import make_certificates

User = Literal["admin", "worker"]
Operation = Literal["read", "write", "describe", "describe_configs", "create", "alter", "delete"]
_PASSWORDS: dict[User, str] = {"admin": "admin-secret", "worker": "worker-secret"}
_MECHANISM: Literal["SCRAM-SHA-512"] = "SCRAM-SHA-512"
_WITHIN_S = 20.0


class May(TypedDict):
    """An operation on a topic or on a group; a name that ends in `*` is a prefix."""

    topic: NotRequired[str]
    group: NotRequired[str]
    operation: Operation


@dataclass(frozen=True, slots=True, kw_only=True)
class _Right:
    """One thing one user may do, as Kafka's admin client says it."""

    user: User
    kind: ResourceType
    name: str
    operation: Operation

    @classmethod
    def named(cls, user: User, may: May) -> "_Right":
        kind = ResourceType.TOPIC if "topic" in may else ResourceType.GROUP
        name = may["topic"] if "topic" in may else may["group"]
        return cls(user=user, kind=kind, name=name, operation=may["operation"])

    @property
    def binding(self) -> AclBinding:
        return AclBinding(*self._terms())

    @property
    def wanted(self) -> AclBindingFilter:
        return AclBindingFilter(*self._terms())

    def _terms(self) -> tuple[object, ...]:
        prefixed = self.name.endswith("*")
        return (
            self.kind,
            self.name.removesuffix("*"),
            ResourcePatternType.PREFIXED if prefixed else ResourcePatternType.LITERAL,
            f"User:{self.user}",
            "*",
            AclOperation[self.operation.upper()],
            AclPermissionType.ALLOW,
        )


class SecureBroker:
    """SASL_SSL with SCRAM-SHA-512 for clients; what the user `worker` may do is granted by name.

    The user `admin` may do everything, and so may the plain listener, which serves only the node
    itself and those who wait for it to be ready.

    Args:
        folder: takes the node's records and the certificates.
    """

    def __init__(self, folder: Path) -> None:
        certificates = make_certificates(folder / "tls")
        self.ca = certificates.ca
        self._port = free_port()
        self.node = LocalBroker(
            folder / "kafka", config=_config(port=self._port, server=certificates.server)
        )

    @property
    def bootstrap(self) -> str:
        """Where clients connect with TLS and a password."""
        return f"{HOST}:{self._port}"

    def cluster(self, user: User, password: str | None = None) -> Cluster:
        """How a user reaches it; with the right password unless another is given."""
        return Cluster(
            bootstrap=self.bootstrap,
            security="sasl_ssl",
            ca=self.ca,
            mechanism=_MECHANISM,
            username=user,
            password=password or _PASSWORDS[user],
        )

    def environment(self, user: User) -> dict[str, str]:
        """What tells a `kdsl` process how to connect, but for the address."""
        return {
            "KDSL_SECURITY": "sasl_ssl",
            "KDSL_TLS_CA": str(self.ca),
            "KDSL_SASL_MECHANISM": _MECHANISM,
            "KDSL_SASL_USERNAME": user,
            "KDSL_SASL_PASSWORD": _PASSWORDS[user],
        }

    def allow(self, user: User, **may: Unpack[May]) -> None:
        """Grant an operation."""
        right = _Right.named(user, may)
        admin = self._admin()
        for done in admin.create_acls([right.binding]).values():
            done.result(_WITHIN_S)
        _until_known(admin, right, granted=True)

    def withdraw(self, user: User, **may: Unpack[May]) -> None:
        """Take back what `allow` granted in the same words."""
        right = _Right.named(user, may)
        admin = self._admin()
        for done in admin.delete_acls([right.wanted]).values():
            assert done.result(_WITHIN_S), f"{user} was never allowed this"
        _until_known(admin, right, granted=False)

    def _admin(self) -> AdminClient:
        return AdminClient(
            {
                "bootstrap.servers": self.bootstrap,
                "security.protocol": "SASL_SSL",
                "ssl.ca.location": str(self.ca),
                "sasl.mechanism": _MECHANISM,
                "sasl.username": "admin",
                "sasl.password": _PASSWORDS["admin"],
                "log_level": 0,
            }
        )

    def __enter__(self) -> Self:
        self.node.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.node.stop()


def _until_known(admin: AdminClient, right: _Right, *, granted: bool) -> None:
    """The controller has written it down; wait until the broker goes by it."""
    deadline = time.monotonic() + _WITHIN_S
    while bool(admin.describe_acls(right.wanted).result(_WITHIN_S)) is not granted:
        assert time.monotonic() < deadline, "the broker never heard of it"
        time.sleep(0.02)


def _config(*, port: int, server: Path) -> BrokerConfig:
    plain = f"PLAINTEXT://{HOST}:$port"
    secure = f"SASL_SSL://{HOST}:{port}"
    login = "org.apache.kafka.common.security.scram.ScramLoginModule"
    properties = {
        "listeners": f"{plain},{secure},CONTROLLER://{HOST}:$controller_port",
        "advertised.listeners": f"{plain},{secure}",
        "listener.security.protocol.map": (
            "CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT,SASL_SSL:SASL_SSL"
        ),
        "sasl.enabled.mechanisms": _MECHANISM,
        "listener.name.sasl_ssl.scram-sha-512.sasl.jaas.config": f"{login} required;",
        "ssl.keystore.type": "PEM",
        "ssl.keystore.location": str(server),
        "authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
        "super.users": "User:admin;User:ANONYMOUS",
    }
    arguments = [
        argument
        for user, password in _PASSWORDS.items()
        for argument in ("--add-scram", f"{_MECHANISM}=[name={user},password={password}]")
    ]
    return BrokerConfig(properties=properties, format_arguments=tuple(arguments))
