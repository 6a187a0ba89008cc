"""Activates releases: decided in the registry, then published."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from rule_store import (
    Activation,
    Signed,
    TrustStore,
    activation_to_bytes,
    key_id,
    sign,
    signed_to_bytes,
)
from streams.errors import InvalidSettings, NotPublished, ReleaseRefused
from streams.published import Published
from streams.publishing import ReleaseTopic
from streams.registering import Settled, settle

if TYPE_CHECKING:  # commands load the database when they open it (docs/adr/0011)
    from rule_store.registry import Registry, ReleaseRow

_SEQUENCE = re.compile(r"[0-9]{1,15}")
_DIGEST = re.compile(r"(?:sha256:)?([0-9a-f]{6,64})")


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """An activation as it is asked for.

    release, shadow: digests in the registry.
    key: signs the activation; None leaves it unsigned, for workers that obey anybody.
    trust: the workers' trust store, as far as it is known here.
    new_key: activate although only others have signed activations so far.
    expected: sequence of the activation it follows upon, 0 for none; None takes whatever is.
    """

    release: str
    shadow: str | None = None
    key: Ed25519PrivateKey | None
    trust: TrustStore | None = None
    new_key: bool = False
    by: str
    at_ms: int
    expected: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Activated:
    """What was activated, and what became of it.

    ahead_of_us: what workers obeyed so far, when this registry had not decided it.
    """

    activation: Activation
    settled: Settled
    ahead_of_us: Activation | None


async def activate_release(registry: Registry, topic: ReleaseTopic, wanted: Wanted) -> Activated:
    """Decide in the registry that a release is in force, then publish it.

    The sequence is one above the highest of registry and topic. What workers would refuse is
    refused here, before anything is decided.

    Raises:
        RuleStoreError: no such release, one that is not trusted, or another activation than
            `expected` is in force.
        ReleaseRefused: workers may not trust the key.
        NotPublished: it is decided, and the topic could not be written.
        BrokerUnreachable, TopicMissing: nothing is decided.
    """
    release = registry.release(wanted.release)
    for name in (release.digest, wanted.shadow):
        if name is not None:
            _refuse_untrusted(registry.signed(name), wanted)
    published = await topic.read()
    key = f"active/{release.domain}/{release.labels_digest}"
    _refuse_foreign_key(published.signers(key), wanted)
    obeyed = published.newest(key, wanted.trust)
    known = registry.active(release.domain, release.labels_digest)
    activation = _decide(registry, release, wanted, at_least=obeyed.sequence if obeyed else 0)
    settled = await _publish(registry, topic, activation, wanted, published)
    ahead = obeyed if obeyed and obeyed.sequence > (known.sequence if known else 0) else None
    return Activated(activation=activation, settled=settled, ahead_of_us=ahead)


def _decide(
    registry: Registry, release: ReleaseRow, wanted: Wanted, *, at_least: int
) -> Activation:
    return registry.activate(
        release.domain,
        release.labels_digest,
        release.digest,
        shadow=wanted.shadow,
        by=wanted.by,
        at_ms=wanted.at_ms,
        make_envelope=lambda made: _envelope(made, wanted.key),
        at_least_sequence=at_least,
        expected=wanted.expected,
    )


async def _publish(
    registry: Registry,
    topic: ReleaseTopic,
    activation: Activation,
    wanted: Wanted,
    published: Published,
) -> Settled:
    try:
        return await settle(
            registry,
            topic,
            domain=activation.domain,
            labels_digest=activation.labels_digest,
            trust=wanted.trust,
            now_ms=wanted.at_ms,
            published=published,
        )
    except Exception as error:  # whatever it is, the activation is decided, and that must be said
        raise NotPublished(
            f"release {activation.digest} is activated in the registry (sequence "
            f"{activation.sequence}), but may not have reached the topic: run `kdsl release sync` "
            f"when Kafka answers ({str(error) or repr(error)})"
        ) from error


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


def _envelope(activation: Activation, key: Ed25519PrivateKey | None) -> bytes:
    content = activation_to_bytes(activation)
    unsigned = Signed(content=content, signatures=())
    return signed_to_bytes(sign(content, key, "activation") if key else unsigned)


def _refuse_untrusted(signed: Signed, wanted: Wanted) -> None:
    """Raise when workers that trust the given store, or else our key alone, would refuse it."""
    if wanted.key is None:
        return
    own = wanted.key.public_key()
    trust = wanted.trust or TrustStore(keys={key_id(own): own})
    if key_id(own) not in trust.keys:
        raise ReleaseRefused(
            f"key {key_id(own)} is not in the trust store, so workers would refuse what it "
            "activates: sign with a trusted key, or trust this one with `kdsl keys trust`"
        )
    trust.verify(signed, "release")


def _refuse_foreign_key(signers: tuple[str, ...], wanted: Wanted) -> None:
    """Raise when others have signed activations in the topic, and our key none of them.

    Workers that do not trust ours would go on under theirs, until they are restarted: the topic is
    compacted, so of the activations only the last one is kept for long.
    """
    if wanted.key is None or wanted.trust is not None or wanted.new_key:
        return
    own = key_id(wanted.key.public_key())
    if signers and own not in signers:
        raise ReleaseRefused(
            f"activations here are signed by {', '.join(signers)}, yours would be by {own}, whom "
            "the workers may not trust: sign with that key, name the workers' trust store with "
            "--trust, or say --new-key if they trust yours"
        )
