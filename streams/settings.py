"""Environment and TOML read once into one frozen object; command-line options win over both."""

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, Literal, get_args, get_type_hints

import platformdirs

from streams.cluster import MECHANISMS, SECURITIES, Cluster, Mechanism, Security
from streams.errors import InvalidSettings
from streams.settings_reading import first_line, meant, read_toml, refuse_unknown, typed

RoleName = Literal["tagger", "resolver", "alerter"]
ROLES: tuple[RoleName, ...] = get_args(RoleName)
Readings = Literal["own", "given"]
Provider = Literal["cpu", "cuda"]

_ENVIRONMENT = "KDSL_"


def _cache_folder() -> Path:
    return platformdirs.user_cache_path("kdsl")


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Everything a worker is told from outside.

    bootstrap: Kafka's `host:port`, several separated by commas.
    security, tls_ca, tls_certificate, tls_key, sasl_mechanism, sasl_username: as in `Cluster`.
    sasl_password, sasl_password_file: one of them; the file's first line is the password.
    prefix: before every topic and consumer group, for several tenants on one cluster.
    partitions: that every topic but rules.releases must have; 0 takes what is there.
    domain: a pack's name or folder.
    registry: path of a SQLite file or `postgresql://…`, which may hold a password; empty is a
        file of the user.
    trust: PEM file or folder of the public keys whose releases are obeyed.
    allow_unsigned: obey releases without a trusted signature; for experiments.
    bundle: the model's directory; a resolver without one leaves to abstain what rules do not say.
    provider: where the model runs. threads: shared by model and reader of one resolver.
    readings: *given* takes a dataset's own readings from the cache where it has them.
    cache: readings and other things that only save time. cache_bytes: bound of the readings.
    image_prefixes: addresses images may be fetched from; none fetches nothing.
    web_host, web_port: of /live, /ready, /metrics; port 0 takes a free one.
    batch: records decided together at most. frames_at_once: frames being decided or delivered.
    buffer_bytes: all records handed out and not yet acknowledged; one frame always passes.
    early_answer: False leaves every question to the resolver.
    instance: this worker's stable name; a restart under it gets its partitions back without
        moving others'. Empty: every start is a new member of the group.
    session_timeout_s: a worker silent for so long loses its partitions to others.
    heartbeat_s: how often it says that it is there.
    rebalance_timeout_s: how long a rebalance waits for a worker to let go of its partitions.
    commit_every_s: how often acknowledged records are committed.
    deliver_within_s: an output not acknowledged by the broker for so long ends the worker, to be
        started again; retries end then too.
    stall_after_s: nothing decided, acknowledged or committed for so long although there is work
        makes the worker unready; must exceed the longest decision, and be at least twice
        `rebalance_timeout_s`.
    exit_on_stall: end then, to be started again.
    status_every_s: how often it says on workers.status how it is.
    stop_within_s: a worker that has not stopped by then exits hard; nothing is lost by it.
    """

    bootstrap: str = "127.0.0.1:9092"
    security: Security = "plaintext"
    tls_ca: Path | None = None
    tls_certificate: Path | None = None
    tls_key: Path | None = None
    sasl_mechanism: Mechanism = "SCRAM-SHA-512"
    sasl_username: str = ""
    sasl_password: str = field(default="", repr=False)
    sasl_password_file: Path | None = None
    prefix: str = ""
    partitions: int = 0
    domain: str = "storefront"
    registry: str = field(default="", repr=False)
    trust: Path | None = None
    allow_unsigned: bool = False
    bundle: Path | None = None
    provider: Provider = "cpu"
    threads: int = 2
    readings: Readings = "own"
    cache: Path = field(default_factory=_cache_folder)
    cache_bytes: int = 512 * 1024 * 1024
    image_prefixes: tuple[str, ...] = ()
    web_host: str = "127.0.0.1"
    web_port: int = 0
    batch: int = 256
    frames_at_once: int = 8
    buffer_bytes: int = 64 * 1024 * 1024
    early_answer: bool = True
    instance: str = ""
    session_timeout_s: float = 10.0
    heartbeat_s: float = 3.0
    rebalance_timeout_s: float = 10.0
    commit_every_s: float = 1.0
    deliver_within_s: float = 120.0
    stall_after_s: float = 60.0
    exit_on_stall: bool = False
    status_every_s: float = 5.0
    stop_within_s: float = 20.0

    def __post_init__(self) -> None:
        for name, choices in _CHOICES:
            if getattr(self, name) not in choices:
                raise InvalidSettings(f"{_named(name)} must be one of {', '.join(choices)}")
        for name, low, high in _RANGES:
            if not low <= getattr(self, name) <= high:
                raise InvalidSettings(f"{name} must be from {low:g} to {high:g}")
        if self.heartbeat_s > self.session_timeout_s / 3:
            raise InvalidSettings(
                "heartbeat_s must be at most a third of session_timeout_s, so that a lost "
                "heartbeat or two cost no rebalance"
            )
        if self.stall_after_s < 2 * self.rebalance_timeout_s:
            raise InvalidSettings(
                f"{_named('stall_after_s')} must be at least twice rebalance_timeout_s, which is "
                f"{self.rebalance_timeout_s:g}: while partitions move nothing else does"
            )
        if self.instance and not _INSTANCE.fullmatch(self.instance):
            raise InvalidSettings(
                f"{_named('instance')} must be letters, digits, dots, underscores and hyphens, "
                "240 at most"
            )
        self._check_tls()
        self._check_sasl()

    @property
    def cluster(self) -> Cluster:
        """How the cluster is reached.

        Raises:
            InvalidSettings: the password's file cannot be read.
        """
        password = self.sasl_password
        if self.sasl_password_file is not None:
            password = first_line(self.sasl_password_file, "sasl_password_file")
        return Cluster(
            bootstrap=self.bootstrap,
            security=self.security,
            ca=self.tls_ca,
            certificate=self.tls_certificate,
            key=self.tls_key,
            mechanism=self.sasl_mechanism,
            username=self.sasl_username or None,
            password=password or None,
        )

    def _check_tls(self) -> None:
        if self.tls_key is not None and self.tls_certificate is None:
            raise InvalidSettings(f"tls_key needs its certificate: set {_named('tls_certificate')}")
        for name in ("tls_ca", "tls_certificate"):
            if getattr(self, name) is not None and self.security not in ("ssl", "sasl_ssl"):
                raise InvalidSettings(
                    f"{name} is of no use when security is {self.security}: "
                    f"set {_named('security')} to ssl or sasl_ssl, or leave it out"
                )

    def _check_sasl(self) -> None:
        if self.sasl_password and self.sasl_password_file is not None:
            raise InvalidSettings("sasl_password and sasl_password_file contradict: give one")
        secret = self.sasl_password or self.sasl_password_file
        if self.security in ("sasl_plaintext", "sasl_ssl"):
            if not (self.sasl_username and secret):
                raise InvalidSettings(
                    f"security {self.security} needs {_named('sasl_username')} and "
                    f"{_named('sasl_password')} or sasl_password_file"
                )
        elif self.sasl_username or secret:
            raise InvalidSettings(
                f"a SASL name or password is of no use when security is {self.security}: "
                f"set {_named('security')} to sasl_ssl, or leave them out"
            )


def _named(name: str) -> str:
    """A setting and its variable.

    >>> _named("tls_key")
    'tls_key (KDSL_TLS_KEY)'
    """
    return f"{name} ({_ENVIRONMENT}{name.upper()})"


_CHOICES: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("security", SECURITIES),
    ("sasl_mechanism", MECHANISMS),
    ("provider", get_args(Provider)),
    ("readings", get_args(Readings)),
)
# Brokers refuse sessions under 6 s and above half an hour unless they are told otherwise.
_RANGES: tuple[tuple[str, float, float], ...] = (
    ("partitions", 0, 100_000),
    ("threads", 1, 256),
    ("web_port", 0, 65_535),
    ("batch", 1, 10_000),
    ("frames_at_once", 1, 1000),
    ("buffer_bytes", 1, 2**40),
    ("cache_bytes", 1, 2**50),
    ("session_timeout_s", 6.0, 1800.0),
    ("heartbeat_s", 0.1, 600.0),
    ("rebalance_timeout_s", 1.0, 1800.0),
    ("commit_every_s", 0.05, 60.0),
    ("deliver_within_s", 1.0, 86_400.0),
    ("stall_after_s", 1.0, 86_400.0),
    ("status_every_s", 0.5, 3600.0),
    ("stop_within_s", 1.0, 600.0),
)
# Kafka allows 249 characters, of which the role's name and a hyphen are put before it.
_INSTANCE = re.compile(r"[a-zA-Z0-9._-]{1,240}")


def load_settings(
    given: Mapping[str, Any],
    *,
    defaults: Mapping[str, Any] | None = None,
    environment: Mapping[str, str] = os.environ,
) -> Settings:
    """Defaults, then the TOML file, then the environment, then what was given outright.

    Args:
        given: setting → value, as the command line read it; None means not given.
        defaults: in the place of those of `Settings`, for a role that wants others.
        environment: `KDSL_<SETTING>` for every setting; `KDSL_CONFIG` names the TOML file.

    Raises:
        InvalidSettings: an unknown name or a value of the wrong type, and where it stands.
    """
    kinds = get_type_hints(Settings)
    known = {item.name for item in fields(Settings)}
    values: dict[str, Any] = dict(defaults or {})
    config = environment.get(f"{_ENVIRONMENT}CONFIG")
    if config:
        for name, value in read_toml(Path(config)).items():
            if name not in known:
                raise InvalidSettings(f"{config}: unknown setting {name!r}: {meant(name, known)}")
            values[name] = typed(kinds[name], value, f"{config}: {name}")
    refuse_unknown(environment, known)
    for name in known:
        variable = _ENVIRONMENT + name.upper()
        if environment.get(variable):  # set to nothing is not set
            values[name] = typed(kinds[name], environment[variable], variable)
    values |= {name: value for name, value in given.items() if value is not None}
    return Settings(**values)
