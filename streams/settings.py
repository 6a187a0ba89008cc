"""Environment and TOML read once into one frozen object; command-line options win over both."""

import os
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, Literal, get_args

import platformdirs

from streams.errors import InvalidSettings

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
    prefix: before every topic and consumer group, for several tenants on one cluster.
    domain: a pack's name or folder.
    trust: PEM file or folder of the public keys whose releases are obeyed.
    allow_unsigned: obey releases without a trusted signature; for experiments.
    bundle: the model's directory; a resolver without one leaves to abstain what rules do not say.
    provider: where the model runs. threads: shared by model and reader of one resolver.
    readings: *given* takes a dataset's own readings from the cache where it has them.
    cache: readings and other things that only save time. cache_bytes: bound of the readings.
    image_prefixes: addresses images may be fetched from; none fetches nothing.
    web_host, web_port: of /live, /ready, /metrics; port 0 takes a free one.
    batch: records decided together at most. frames_at_once: frames being decided or delivered.
    early_answer: False leaves every question to the resolver.
    stop_within_s: a worker that has not stopped by then exits hard; nothing is lost by it.
    """

    bootstrap: str = "127.0.0.1:9092"
    prefix: str = ""
    domain: str = "storefront"
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
    early_answer: bool = True
    stop_within_s: float = 20.0

    def __post_init__(self) -> None:
        for name, choices in _CHOICES:
            if getattr(self, name) not in choices:
                raise InvalidSettings(
                    f"{name} ({_ENVIRONMENT}{name.upper()}) must be one of {', '.join(choices)}"
                )
        for name, low, high in _RANGES:
            if not low <= getattr(self, name) <= high:
                raise InvalidSettings(f"{name} must be from {low:g} to {high:g}")


_CHOICES: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("provider", get_args(Provider)),
    ("readings", get_args(Readings)),
)
_RANGES: tuple[tuple[str, float, float], ...] = (
    ("threads", 1, 256),
    ("web_port", 0, 65_535),
    ("batch", 1, 10_000),
    ("frames_at_once", 1, 1000),
    ("stop_within_s", 1.0, 600.0),
    ("cache_bytes", 1, 2**50),
)


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
    known = {item.name for item in fields(Settings)}
    values: dict[str, Any] = dict(defaults or {})
    config = environment.get(f"{_ENVIRONMENT}CONFIG")
    if config:
        for name, value in _read_toml(Path(config)).items():
            if name not in known:
                raise InvalidSettings(f"{config}: unknown setting {name!r}")
            values[name] = _typed(name, value, f"{config}: {name}")
    for name in known:
        variable = _ENVIRONMENT + name.upper()
        if environment.get(variable):  # set to nothing is not set
            values[name] = _typed(name, environment[variable], variable)
    values |= {name: value for name, value in given.items() if value is not None}
    return Settings(**values)


def _read_toml(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise InvalidSettings(f"{path} (KDSL_CONFIG) cannot be read: {error}") from error


def _typed(name: str, value: object, place: str) -> object:
    """A TOML value or an environment string as the setting's type."""
    match name:
        case "trust" | "bundle" | "cache":
            return Path(_text(value, place))
        case "threads" | "web_port" | "batch" | "cache_bytes" | "frames_at_once":
            return _number(value, int, place)
        case "stop_within_s":
            return _number(value, float, place)
        case "allow_unsigned" | "early_answer":
            return _flag(value, place)
        case "image_prefixes":
            parts = value.split(",") if isinstance(value, str) else value
            if not isinstance(parts, list):
                raise InvalidSettings(f"{place} must be a list of addresses")
            return tuple(str(part).strip() for part in parts if str(part).strip())
        case _:
            return _text(value, place)


def _text(value: object, place: str) -> str:
    if not isinstance(value, str):
        raise InvalidSettings(f"{place} must be a string, not {value!r}")
    return value


def _number(value: object, kind: type[int] | type[float], place: str) -> float:
    try:
        return kind(str(value))
    except ValueError as error:
        raise InvalidSettings(f"{place} must be a number, not {value!r}") from error


def _flag(value: object, place: str) -> bool:
    words = {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False}
    word = str(value).lower()
    if word not in words:
        raise InvalidSettings(f"{place} must be true or false, not {value!r}")
    return words[word]
