"""A record on the wire: one MessagePack map whose first field is its version."""

from collections.abc import Mapping
from typing import Any, cast

import msgpack

from streams.errors import DecodeError, UnknownVersion
from streams.fields import Fields
from streams.limits import LIMITS

VERSION = "1.0"
DIGEST_CHARS = 80  # "sha256:" and 64 hex digits, with room for a longer hash
_MAJOR = VERSION.partition(".")[0]


def pack(fields: Mapping[str, Any]) -> bytes:
    """A map without its None fields, version first."""
    return cast("bytes", msgpack.packb({"v": VERSION, **present(fields)}, use_bin_type=True))


def present(fields: Mapping[str, Any]) -> dict[str, Any]:
    """What is None is left out, everywhere."""
    return {name: value for name, value in fields.items() if value is not None}


def unpack(raw: bytes, *, kind: str, limit: int) -> Fields:
    """The fields of one record of a known major version.

    Raises:
        DecodeError: too long, not MessagePack, or not a map with a version.
        UnknownVersion: the major version is not ours.
    """
    if len(raw) > limit:
        raise DecodeError(f"{kind} of {len(raw)} bytes; the limit is {limit}", reason="too_large")
    try:
        value = msgpack.unpackb(
            raw,
            raw=False,
            strict_map_key=True,
            max_map_len=64,
            max_array_len=LIMITS.list_items,
        )
    except (ValueError, msgpack.UnpackException, RecursionError) as error:
        # RecursionError: only the pure-Python reader; the compiled one stops by itself.
        raise DecodeError(f"{kind} is not MessagePack: {type(error).__name__}") from error
    fields = Fields(value, kind)
    version = fields.text("v", 16)
    major, dot, minor = version.partition(".")
    if not (dot and major.isdecimal() and minor.isdecimal() and version.isascii()):
        raise DecodeError(f'{kind}.v must be "major.minor"')
    if major != _MAJOR:
        raise UnknownVersion(f"{kind} has major version {major}; this reader knows {_MAJOR}")
    return fields
