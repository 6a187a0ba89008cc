"""Which addresses of images may be fetched."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self
from urllib.parse import unquote, urlsplit

from streams.errors import ImageRejected, InvalidSettings

_DEFAULT_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Place:
    """An address taken apart; segments are percent-decoded once, a closing slash dropped."""

    scheme: str
    host: str
    port: int
    segments: tuple[str, ...]

    def holds(self, other: Self) -> bool:
        return (self.scheme, self.host, self.port) == (other.scheme, other.host, other.port) and (
            other.segments[: len(self.segments)] == self.segments
        )


@dataclass(frozen=True, slots=True)
class AllowedUris:
    """URI prefixes from the settings; scheme, host and port match exactly, the path by segments.

    >>> allowed = AllowedUris.of(["https://images.example/shop"])
    >>> allowed.check("https://IMAGES.example:443/shop/1.png")
    >>> allowed.check("https://images.example/shopping/1.png")
    Traceback (most recent call last):
    streams.errors.ImageRejected: the address is not below an allowed prefix
    """

    _places: tuple[_Place, ...]

    @classmethod
    def of(cls, prefixes: Sequence[str]) -> Self:
        """Read the prefixes.

        Raises:
            InvalidSettings: one is not an http or https address without query.
        """
        places = []
        for prefix in prefixes:
            try:
                if "?" in prefix:
                    raise ValueError("a prefix has no query")
                places.append(_take_apart(prefix))
            except ValueError as error:
                raise InvalidSettings(
                    f"image prefix {prefix!r}: {error}; write it like https://host/folder"
                ) from error
        return cls(tuple(places))

    def check(self, uri: str) -> None:
        """Pass, or say why not; the message does not repeat the address, which may hold a key.

        Raises:
            ImageRejected: with reason `image_forbidden_uri`.
        """
        try:
            place = _take_apart(uri)
        except ValueError as error:
            raise ImageRejected(f"the address {error}", reason="image_forbidden_uri") from error
        if not any(allowed.holds(place) for allowed in self._places):
            raise ImageRejected(
                "the address is not below an allowed prefix", reason="image_forbidden_uri"
            )


def _take_apart(uri: str) -> _Place:
    """Refuse whatever two readers of an address could understand differently."""
    if not uri.isascii() or not uri.isprintable() or " " in uri or "\\" in uri:
        raise ValueError("holds characters that must be percent-encoded")
    try:
        parts = urlsplit(uri)
        host, port = parts.hostname, parts.port
    except ValueError as error:
        raise ValueError("cannot be read") from error
    if parts.scheme not in _DEFAULT_PORTS:
        raise ValueError("is neither http nor https")
    if not host or "@" in parts.netloc or "%" in parts.netloc:
        raise ValueError("has no plain host")
    if "#" in uri:
        raise ValueError("has a fragment")
    segments = [_decoded(segment) for segment in parts.path.split("/")[1:]]
    if segments and not segments[-1]:
        segments.pop()
    return _Place(
        scheme=parts.scheme,
        host=host,
        port=_DEFAULT_PORTS[parts.scheme] if port is None else port,
        segments=tuple(segments),
    )


def _decoded(segment: str) -> str:
    text = unquote(segment)
    # Some servers cut `;…` off a segment, some decode twice; `..` must not appear for any of them.
    if text.partition(";")[0] in (".", "..") or any(sign in text for sign in "/\\%\0"):
        raise ValueError("has a path that is not plain")
    return text
