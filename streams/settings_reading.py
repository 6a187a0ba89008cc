"""A TOML value or an environment string as the type its setting has."""

import re
import tomllib
from collections.abc import Collection, Mapping
from difflib import get_close_matches
from pathlib import Path
from types import NoneType
from typing import Any, get_args

from streams.errors import InvalidSettings

_OURS = "KDSL_"
_READ_ELSEWHERE = re.compile(r"CONFIG|TAOBAO|(FAUST|BENCH|TEST)_.+")
# Kubernetes and Docker put these into containers beside a service called kdsl or kdsl-something.
_SERVICE_NAME = re.compile(r"(.+_)?(SERVICE_(HOST|PORT)|PORT_\d+_(TCP|UDP|SCTP))(_.+)?")
_SERVICE_ADDRESS = re.compile(r"(tcp|udp|sctp)://.+")


def refuse_unknown(environment: Mapping[str, str], known: Collection[str]) -> None:
    """Refuse what is meant for us and would be passed over.

    Args:
        environment: of the process; a variable that is set to nothing is not set.
        known: names of the settings.

    Raises:
        InvalidSettings: a variable has a name of ours and is no setting.
    """
    settings = {_OURS + each.upper() for each in known}
    for variable, value in environment.items():
        name = variable.removeprefix(_OURS)
        if not value or name == variable or variable in settings:
            continue
        if _READ_ELSEWHERE.fullmatch(name) or _SERVICE_NAME.fullmatch(name):
            continue
        if not _SERVICE_ADDRESS.fullmatch(value):
            raise InvalidSettings(f"{variable} is no setting: {meant(variable, settings)}")


def meant(name: str, known: Collection[str]) -> str:
    """What to do about a name that is not known.

    >>> meant("partition", ("prefix", "partitions"))
    'do you mean partitions?'
    """
    close = get_close_matches(name, sorted(known), n=1, cutoff=0.8)
    return f"do you mean {close[0]}?" if close else "leave it out, or see docs/running-workers.md"


def read_toml(path: Path) -> Mapping[str, Any]:
    """The settings of a file, not yet looked at.

    Raises:
        InvalidSettings: it cannot be read, or is no TOML.
    """
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise InvalidSettings(f"{path} (KDSL_CONFIG) cannot be read: {error}") from error


def first_line(path: Path, place: str) -> str:
    """The first line of a file, as secrets are mounted.

    Raises:
        InvalidSettings: it cannot be read, or the line is empty.
    """
    try:
        line = path.read_text(encoding="utf-8").partition("\n")[0].removesuffix("\r")
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidSettings(f"{path} ({place}) cannot be read: {error}") from error
    if not line:
        raise InvalidSettings(f"{path} ({place}) begins with an empty line; put the password there")
    return line


def typed(kind: Any, value: object, place: str) -> object:
    """A value as the setting's type.

    Args:
        kind: the setting's annotation; `X | None` is read as `X`, a Literal as a string.
        value: from TOML, or the environment's string.
        place: where it stands, for the message.

    Raises:
        InvalidSettings: it is of another type.

    >>> typed(float, "2.5", "KDSL_HEARTBEAT_S")
    2.5
    """
    choices = [each for each in get_args(kind) if each is not NoneType]
    match choices[0] if NoneType in get_args(kind) else kind:
        case one if one is Path:
            return Path(_text(value, place))
        case one if one is bool:
            return _flag(value, place)
        case one if one is int or one is float:
            return _number(value, one, place)
        case one if one == tuple[str, ...]:
            return _texts(value, place)
        case _:
            return _text(value, place)


def _text(value: object, place: str) -> str:
    if not isinstance(value, str):
        # The value may be a password, so it is not repeated.
        raise InvalidSettings(f"{place} must be a string, not a {type(value).__name__}")
    return value


def _texts(value: object, place: str) -> tuple[str, ...]:
    parts = value.split(",") if isinstance(value, str) else value
    if not isinstance(parts, list):
        raise InvalidSettings(f"{place} must be a list of strings")
    return tuple(str(part).strip() for part in parts if str(part).strip())


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
