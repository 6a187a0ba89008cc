"""What the local Kafka node is told: its configuration file and how its folder is formatted."""

import uuid
from base64 import urlsafe_b64encode
from collections.abc import Mapping
from dataclasses import dataclass, field
from string import Template

from streams.resources import deploy_folder


@dataclass(frozen=True, slots=True, kw_only=True)
class BrokerConfig:
    """What a node is told beyond `deploy/broker/server.properties`.

    properties: win over those of the same name; `$port` and `$controller_port` are filled in.
    format_arguments: further ones for Kafka's storage tool, such as `--add-scram`.
    """

    properties: Mapping[str, str] = field(default_factory=dict)
    format_arguments: tuple[str, ...] = ()

    def text(self, *, port: int, controller_port: int, data: str) -> str:
        """The configuration file of a node with these ports and this folder of records."""
        shipped = (deploy_folder() / "broker" / "server.properties").read_text(encoding="utf-8")
        # Of several lines with one name Java takes the last.
        further = "".join(f"{name}={value}\n" for name, value in self.properties.items())
        return Template(shipped + further).substitute(
            port=port, controller_port=controller_port, data=data
        )


def cluster_id() -> str:
    """16 random bytes as Kafka writes them; a leading `-` would look like an option."""
    while True:
        text = urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")
        if not text.startswith("-"):
            return text
