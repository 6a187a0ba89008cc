"""Activation: the record that a release is in force for a domain."""

from __future__ import annotations

import re
from dataclasses import dataclass

from rule_store.canonical import SCHEMA, canonical_json, read_fields
from rule_store.errors import InvalidActivation, InvalidRelease, shown
from rule_store.lexicon import NAME_CHARS, is_text
from rule_store.release import check_domain, is_labels_digest

ACTIVATION_BYTES = 64 * 1024
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
_INTEGER_MAX = 2**53


@dataclass(frozen=True, slots=True, kw_only=True)
class Activation:
    """A release is in force from now on.

    labels_digest: the labels that the release decides between; workers with others ignore it.
    digest: `sha256:…` of the release's bytes.
    shadow: likewise, of a release evaluated without effect.
    sequence: counts up with every activation of the domain and its labels, from 1.
    by: who activated it.
    at_ms: when, UTC milliseconds since the epoch.

    Raises:
        InvalidActivation: a field out of its range.
    """

    domain: str
    labels_digest: str
    digest: str
    shadow: str | None
    sequence: int
    by: str
    at_ms: int

    def __post_init__(self) -> None:
        try:
            check_domain(self.domain)
        except InvalidRelease as error:
            raise InvalidActivation(error.where, error.fault) from None
        if not is_labels_digest(self.labels_digest):
            raise InvalidActivation("labels_digest", "must be 64 hexadecimal digits")
        for field, name in (("digest", self.digest), ("shadow", self.shadow)):
            if name is not None and _DIGEST.fullmatch(name) is None:
                raise InvalidActivation(field, f'{shown(name)} is not of the form "sha256:…"')
        if len(self.by) > NAME_CHARS or not is_text(self.by):
            raise InvalidActivation("by", f"must be a text of at most {NAME_CHARS} characters")
        for field, number, least in (("sequence", self.sequence, 1), ("at_ms", self.at_ms, 0)):
            if not least <= number <= _INTEGER_MAX:
                raise InvalidActivation(field, f"must be between {least} and 2^53")


def activation_to_bytes(activation: Activation) -> bytes:
    """Write an activation as canonical JSON; these bytes are signed."""
    return canonical_json(
        {
            "schema": SCHEMA,
            "domain": activation.domain,
            "labels_digest": activation.labels_digest,
            "digest": activation.digest,
            "shadow": activation.shadow,
            "sequence": activation.sequence,
            "by": activation.by,
            "at_ms": activation.at_ms,
        }
    )


def activation_from_bytes(content: bytes) -> Activation:
    """Read an activation from bytes of unknown origin.

    Raises:
        InvalidActivation: names what is wrong and where.
    """
    top = read_fields(content, limit_bytes=ACTIVATION_BYTES, refusal=InvalidActivation)
    return Activation(
        domain=top.text("domain"),
        labels_digest=top.text("labels_digest"),
        digest=top.text("digest"),
        shadow=top.optional_text("shadow"),
        sequence=top.integer("sequence"),
        by=top.text("by"),
        at_ms=top.integer("at_ms"),
    )


def supersedes(new: Activation, old: Activation | None) -> bool:
    """Whether an activation takes the place of the one in force.

    An equal or lower sequence never does: an old record sent again rolls nothing back.
    """
    return old is None or new.sequence > old.sequence


def topic_key(activation: Activation) -> str:
    """Key of the record: `active/<domain>/<labels digest>`."""
    return f"active/{activation.domain}/{activation.labels_digest}"


def release_key(digest: str) -> str:
    """Key of a release's record: `release/<digest>`."""
    return f"release/{digest}"
