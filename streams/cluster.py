"""How a Kafka cluster is reached: its addresses, encryption, and who we are to it."""

import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, get_args

from cryptography.x509 import load_pem_x509_certificate

from streams.errors import InvalidSettings

Security = Literal["plaintext", "ssl", "sasl_plaintext", "sasl_ssl"]
SECURITIES: tuple[Security, ...] = get_args(Security)
Mechanism = Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"]
MECHANISMS: tuple[Mechanism, ...] = get_args(Mechanism)


@dataclass(frozen=True, slots=True, kw_only=True)
class Cluster:
    """A Kafka cluster as a client needs to know it.

    bootstrap: `host:port`, several separated by commas.
    security: Kafka's `security.protocol`.
    ca: PEM of the authorities that are trusted; None trusts those of the system.
    certificate, key: PEM of our own, for clusters that ask clients for one.
    mechanism, username, password: of SASL; both or neither of the last two.
    """

    bootstrap: str = "127.0.0.1:9092"
    security: Security = "plaintext"
    ca: Path | None = None
    certificate: Path | None = None
    key: Path | None = None
    mechanism: Mechanism = "SCRAM-SHA-512"
    username: str | None = None
    password: str | None = field(default=None, repr=False)

    @property
    def encrypted(self) -> bool:
        return self.security in ("ssl", "sasl_ssl")

    @property
    def authenticated(self) -> bool:
        """Whether we say who we are by name and password."""
        return self.security in ("sasl_plaintext", "sasl_ssl")

    @property
    def user(self) -> str:
        """Who we are to the cluster, as its access lists name us."""
        if self.authenticated:
            return self.username or ""
        if self.encrypted and self.certificate is not None:
            shown = load_pem_x509_certificate(self.certificate.read_bytes())
            return shown.subject.rfc4514_string()
        return "ANONYMOUS"

    def client_options(self) -> Mapping[str, Any]:
        """The arguments that every aiokafka client takes.

        Raises:
            InvalidSettings: a certificate cannot be read.
        """
        options: dict[str, Any] = {"bootstrap_servers": self.bootstrap}
        if self.security != "plaintext":
            options["security_protocol"] = self.security.upper()
        if self.encrypted:
            options["ssl_context"] = self.tls()
        if self.authenticated:
            options |= {
                "sasl_mechanism": self.mechanism,
                "sasl_plain_username": self.username,
                "sasl_plain_password": self.password,
            }
        return options

    def tls(self) -> ssl.SSLContext:
        """What to trust, and what to show; broker names are checked.

        Raises:
            InvalidSettings: a certificate cannot be read.
        """
        try:
            context = ssl.create_default_context(cafile=self.ca)
            if self.certificate is not None:
                context.load_cert_chain(self.certificate, self.key)
        except (OSError, ssl.SSLError) as error:
            named = ", ".join(str(path) for path in (self.ca, self.certificate, self.key) if path)
            raise InvalidSettings(
                f"the TLS files ({named}) cannot be used: {error}; they must be PEM"
            ) from error
        return context
