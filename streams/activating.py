"""Activates releases: decided in the registry, then published."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from rule_store import (
    Activation,
    Binding,
    Signed,
    TrustStore,
    Untrusted,
    activation_to_bytes,
    key_id,
    sign,
    signed_to_bytes,
)
from streams.brief import brief
from streams.errors import NotPublished, ReleaseRefused
from streams.published import Published, PublishedActivation
from streams.publishing import ReleaseTopic
from streams.registering import Settled, settle

if TYPE_CHECKING:  # commands load the database when they open it (docs/adr/0011)
    from rule_store.registry import Registry, ReleaseRow

# No registry is this far behind by chance; and 2^53, the last sequence, stays out of reach.
_JUMP = 1_000_000


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

    @property
    def counted(self) -> TrustStore | None:
        """Whose signatures count: the workers' keys, or else ours alone; None: anybody's do."""
        if self.trust is not None or self.key is None:
            return self.trust
        own = self.key.public_key()
        return TrustStore(keys={key_id(own): own})


@dataclass(frozen=True, slots=True, kw_only=True)
class Activated:
    """What was activated, and what became of it.

    ahead_of_us: what workers obeyed so far, when this registry had not decided it.
    for_other_labels: what the domain's workers obey whose pack has other labels, when that came
        after the last activation for these labels: somebody may have taken the wrong pack.
    """

    activation: Activation
    settled: Settled
    ahead_of_us: Activation | None
    for_other_labels: Activation | None


async def activate_release(registry: Registry, topic: ReleaseTopic, wanted: Wanted) -> Activated:
    """Decide in the registry that a release is in force, then publish it.

    The sequence is one above the highest of registry and topic. What workers would refuse is
    refused here, before anything is decided.

    Raises:
        RuleStoreError: no such release, one that is not trusted, or another activation than
            `expected` is in force, or the registry belongs to another topic, or has activations
            and nobody said to which.
        ReleaseRefused: workers may not trust the key, the topic's sequence cannot be right, or the
            release would be its own shadow.
        NotPublished: it is decided, and the topic could not be written.
        BrokerUnreachable, TopicMissing: nothing is decided.
    """
    release = registry.release(wanted.release)
    shadow = None if wanted.shadow is None else registry.release(wanted.shadow).digest
    _refuse_own_shadow(release.digest, shadow)
    for name in filter(None, (release.digest, shadow)):
        _refuse_unsigned(registry.signed(name), name, wanted)
    published = await topic.read(wanted.counted)
    key = f"active/{release.domain}/{release.labels_digest}"
    refuse_foreign_key(published.signers(key), wanted)
    known = registry.active(release.domain, release.labels_digest)
    ahead = _ahead(published.in_force.get(key), known.sequence if known else 0)
    binding, at_least = await topic.binding(), ahead.sequence if ahead else 0
    activation = _decide(registry, release, wanted, binding=binding, at_least=at_least)
    settled = await _publish(registry, topic, activation, wanted, published)
    return Activated(
        activation=activation,
        settled=settled,
        ahead_of_us=ahead,
        for_other_labels=_for_other_labels(activation, known, published),
    )


def _for_other_labels(
    made: Activation, before: Activation | None, published: Published
) -> Activation | None:
    others = [
        each.activation
        for each in published.in_force.values()
        if each.activation.domain == made.domain
        and each.activation.labels_digest != made.labels_digest
        and (before is None or each.activation.at_ms > before.at_ms)
    ]
    return max(others, key=lambda each: each.at_ms, default=None)


def _ahead(newest: PublishedActivation | None, known: int) -> Activation | None:
    """What the topic has above the highest sequence that the registry knows."""
    if newest is None or newest.activation.sequence <= known:
        return None
    found = newest.activation
    if found.sequence - known > _JUMP:
        raise ReleaseRefused(
            f"the topic's record at offset {newest.offset} is an activation by {found.by} of "
            f"sequence {found.sequence}, where this registry is at {known}: if workers do not obey "
            "its signer, name their trust store with --trust; else delete that record"
        )
    return found


def _decide(
    registry: Registry, release: ReleaseRow, wanted: Wanted, *, binding: Binding, at_least: int
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
        binding=binding,
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
            trust=wanted.counted,
            now_ms=wanted.at_ms,
            published=published,
        )
    except Exception as error:  # whatever it is, the activation is decided, and that must be said
        raise NotPublished(
            f"release {activation.digest} is activated in the registry (sequence "
            f"{activation.sequence}), but may not have reached the topic: run `kdsl release sync` "
            f"when Kafka answers ({str(error) or repr(error)})"
        ) from error


def _refuse_own_shadow(release: str, shadow: str | None) -> None:
    if release == shadow:
        raise ReleaseRefused(
            f"release {release} as its own shadow would never differ from itself: name another "
            "one with --shadow, or none"
        )


def _envelope(activation: Activation, key: Ed25519PrivateKey | None) -> bytes:
    content = activation_to_bytes(activation)
    unsigned = Signed(content=content, signatures=())
    return signed_to_bytes(sign(content, key, "activation") if key else unsigned)


def refuse_untrusted(signed: Signed, wanted: Wanted) -> None:
    """Raise when workers that trust the given store, or else our key alone, would refuse it.

    Raises:
        ReleaseRefused: they do not trust the key.
        Untrusted: nor one that signed the release.
    """
    if wanted.key is None or wanted.counted is None:
        return
    own = key_id(wanted.key.public_key())
    if own not in wanted.counted.keys:
        raise ReleaseRefused(
            f"key {own} is not in the trust store, so workers would refuse what it activates: "
            "sign with a trusted key, or trust this one with `kdsl keys trust`"
        )
    wanted.counted.verify(signed, "release")


def _refuse_unsigned(signed: Signed, name: str, wanted: Wanted) -> None:
    """Likewise of a release in the registry, naming the way to have it signed.

    It is not signed on the way: who can write to the registry, or held a key that was retired,
    could have put there what nobody has looked at.
    """
    try:
        refuse_untrusted(signed, wanted)
    except Untrusted as error:
        beside = "" if wanted.shadow is None else f" --shadow {brief(wanted.shadow)}"
        again = f"kdsl release activate {brief(wanted.release)}{beside}"
        raise Untrusted(
            f"release {name}: {error}. Look at it with `kdsl release show {brief(name)}`, then run "
            f"`kdsl release sign {brief(name)} --key …` and `{again} --key …`",
            key_ids=error.key_ids,
        ) from error


def refuse_foreign_key(signers: tuple[str, ...], wanted: Wanted) -> None:
    """Raise when others have signed activations in the topic, and our key none of them.

    Workers that do not trust ours would go on under theirs, until they are restarted: the topic is
    compacted, so of the activations only the last one is kept for long.

    Raises:
        ReleaseRefused: as said, and nobody has named a trust store or said that the key is new.
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
