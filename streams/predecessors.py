"""What an activation follows upon: what is expected to be in force, and what was before it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from rule_store import Activation
from streams.errors import InvalidSettings, ReleaseRefused

if TYPE_CHECKING:  # commands load the database when they open it (docs/adr/0011)
    from rule_store.registry import Registry

_SEQUENCE = re.compile(r"[0-9]{1,15}")
_DIGEST = re.compile(r"(?:sha256:)?([0-9a-f]{6,64})")


def digest_digits(name: str) -> str | None:
    """The first digits of a digest, at least six, without `sha256:`; None when it is none.

    >>> digest_digits("sha256:01ab45"), digest_digits("01ab"), digest_digits("shop.release")
    ('01ab45', None, None)
    """
    match = _DIGEST.fullmatch(name)
    return None if match is None else match[1]


def expected_sequence(text: str, newest: Activation | None) -> int:
    """The sequence that is meant by a sequence, or by the first digits of a digest.

    Only decimal digits are a sequence; 0 expects that nothing was activated yet.

    Args:
        text: as somebody gave it.
        newest: what the registry has in force.

    Raises:
        InvalidSettings: neither.
        ReleaseRefused: the release in force has another digest.
    """
    if _SEQUENCE.fullmatch(text):
        return int(text)
    digits = digest_digits(text)
    if digits is None:
        raise InvalidSettings(
            f"{text!r} is neither a sequence (0: nothing yet) nor six or more digits of a digest"
        )
    if newest is None or not newest.digest.startswith(f"sha256:{digits}"):
        now = (
            f"{newest.by} has activated {newest.digest} (sequence {newest.sequence})"
            if newest
            else "nothing is in force"
        )
        raise ReleaseRefused(
            f"{now}, where {text} was expected; look at `kdsl release history` and activate again "
            "if yours shall win"
        )
    return newest.sequence


def before_in_force(registry: Registry, domain: str) -> tuple[Activation, Activation]:
    """The newest activation of a domain, and the last one of another release before it.

    Raises:
        ReleaseRefused: there is nothing to roll back, or nothing to roll back to.
    """
    rows = registry.history(domain, limit=1)
    if not rows:
        raise ReleaseRefused(
            f"nothing was ever activated for {domain}: run `kdsl release activate`"
        )
    newest = rows[0].activation
    earlier = registry.previous(domain, newest.labels_digest)
    if earlier is None:
        raise ReleaseRefused(
            f"{newest.digest} is the first release in force for {domain} and its labels, there is "
            "none before it to roll back to: activate another with `kdsl release activate`"
        )
    return newest, earlier
