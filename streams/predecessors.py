"""What an activation follows upon: what is expected to be in force, and what was before it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from rule_store import Activation
from streams.brief import brief
from streams.errors import InvalidSettings, ReleaseRefused
from streams.registering import in_force

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
        raise _overtaken(text, newest)
    return newest.sequence


def _overtaken(expected: str, newest: Activation | None) -> ReleaseRefused:
    now = (
        f"{newest.by} has activated {newest.digest} (sequence {newest.sequence})"
        if newest
        else "nothing is in force"
    )
    return ReleaseRefused(
        f"{now}, where {expected} was expected; look at `kdsl release history` and activate again "
        "if yours shall win"
    )


def before_in_force(
    registry: Registry, domain: str, labels_digest: str, *, expected: str | None = None
) -> tuple[Activation, Activation]:
    """The newest activation for a domain and its labels, and the last of another release before.

    Args:
        registry: holds them.
        domain: whose roll-back it is.
        labels_digest: likewise; other labels have a history of their own.
        expected: what is believed to be in force, as `expected_sequence` takes it.

    Raises:
        InvalidSettings: what is expected is neither a sequence nor a digest.
        ReleaseRefused: something else is in force than expected, there is nothing to roll back, or
            nothing to roll back to.
    """
    newest = registry.active(domain, labels_digest)
    if expected is not None:
        sequence = expected_sequence(expected, newest)
        # What leads back from another activation than the expected one is not what was meant.
        if sequence != (newest.sequence if newest else 0):
            raise _overtaken(f"sequence {sequence}", newest)
    labels = f"{domain} and the labels {brief(labels_digest)}"
    if newest is None:
        raise ReleaseRefused(
            f"nothing was ever activated for {labels}: name the pack that the workers run with "
            "--domain, or run `kdsl release activate`"
        )
    earlier = registry.previous(domain, labels_digest)
    if earlier is None:
        raise ReleaseRefused(
            f"{newest.digest} is the first release in force for {labels}, there is none before it "
            "to roll back to: activate another with `kdsl release activate`"
        )
    return newest, earlier


def labels_in_force(registry: Registry, domain: str) -> str:
    """The labels digest of a domain whose pack is not at hand.

    Raises:
        ReleaseRefused: nothing was activated for it, or for several.
    """
    rows = [row.activation for row in in_force(registry)]
    found = [each.labels_digest for each in rows if each.domain == domain]
    if not found:
        raise ReleaseRefused(
            f"nothing was ever activated for {domain}: run `kdsl release activate`"
        )
    if len(found) > 1:
        raise ReleaseRefused(
            f"releases for several labels were activated for {domain} "
            f"({', '.join(map(brief, found))}): name the folder of the pack that the workers run "
            "with --domain"
        )
    return found[0]
