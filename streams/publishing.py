"""Publishes a release and activates it: what `kdsl release activate` does."""

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from rule_store import (
    Activation,
    Release,
    RuleStoreError,
    Signed,
    TrustStore,
    activation_from_bytes,
    activation_to_bytes,
    digest,
    key_id,
    read_release,
    release_key,
    sign,
    signed_from_bytes,
    signed_to_bytes,
    topic_key,
)
from streams.cluster import Cluster
from streams.errors import ReleaseRefused
from streams.kafka import open_producer, read_topic
from streams.topics import topic_name


async def publish_and_activate(
    signed: Signed,
    *,
    key: Ed25519PrivateKey | None,
    by: str,
    now_ms: int,
    cluster: Cluster,
    prefix: str,
    trust: TrustStore | None = None,
    new_key: bool = False,
) -> Activation:
    """Put a release into `rules.releases`, then the activation that points at it.

    The activation's sequence is one above the highest in the topic, so a roll-back is simply the
    activation of an earlier release. What workers would refuse is refused here.

    Args:
        signed: the release with its signatures.
        key: signs the activation; None leaves it unsigned, for workers that obey anybody.
        by: who activates, for the audit trail.
        now_ms: when.
        cluster: how to reach it.
        prefix: of the topics.
        trust: keys beside our own whose releases and earlier activations count.
        new_key: activate although only others have signed activations so far.

    Raises:
        InvalidRelease: the content is no release.
        Untrusted: with a key, the release is signed neither by it nor by a trusted one.
        ReleaseRefused: only others have signed so far, so workers may not trust our key; or
            another activation took the sequence in the same moment.
        BrokerUnreachable: nobody answers.
        TopicMissing: the topics were never created.
    """
    obeyed = _with_own_key(trust, key)
    if obeyed is not None:
        obeyed.verify(signed, "release")
    release = read_release(signed.content)
    topic = topic_name("releases", prefix=prefix)
    name = digest(signed.content)
    if key is not None and not new_key:
        await _refuse_foreign_key(release, key_id(key.public_key()), topic, cluster)
    earlier = await _read_activations(release.domain, obeyed, topic=topic, cluster=cluster)
    activation = Activation(
        domain=release.domain,
        labels_digest=release.labels_digest,
        digest=name,
        shadow=None,
        sequence=1 + max((each.sequence for each in earlier), default=0),
        by=by,
        at_ms=now_ms,
    )
    content = activation_to_bytes(activation)
    envelope = sign(content, key, "activation") if key else Signed(content=content, signatures=())
    async with open_producer(cluster) as producer:
        # The release first: whoever reads the activation finds it.
        await producer.send_and_wait(
            topic, key=release_key(name).encode(), value=signed_to_bytes(signed)
        )
        await producer.send_and_wait(
            topic, key=topic_key(activation).encode(), value=signed_to_bytes(envelope)
        )
    now = await _read_activations(release.domain, obeyed, topic=topic, cluster=cluster)
    winner = next(each for each in now if each.sequence == activation.sequence)
    if winner != activation:
        raise ReleaseRefused(
            f"{winner.by} activated {winner.digest} in the same moment (sequence "
            f"{winner.sequence}), and workers obey the first: activate again if yours shall win"
        )
    return activation


async def _refuse_foreign_key(release: Release, own: str, topic: str, cluster: Cluster) -> None:
    """Raise when others have signed activations in the topic, and our key none of them.

    Workers that do not trust ours would go on under theirs, until they are restarted: the topic is
    compacted, so of the activations only the last one is kept for long.
    """
    place = f"active/{release.domain}/{release.labels_digest}".encode()
    signers: dict[str, None] = {}
    async for record in read_topic(cluster, topic):
        if record.key == place and record.value:
            try:
                signatures = signed_from_bytes(record.value).signatures
            except RuleStoreError:
                continue
            signers |= dict.fromkeys(each.key_id for each in signatures)
    if signers and own not in signers:
        raise ReleaseRefused(
            f"activations here are signed by {', '.join(signers)}, yours would be by {own}, whom "
            "the workers may not trust: sign with that key, or say --new-key if they trust yours"
        )


def _with_own_key(trust: TrustStore | None, key: Ed25519PrivateKey | None) -> TrustStore | None:
    if key is None:
        return trust
    own = key.public_key()
    return TrustStore(keys={**(trust.keys if trust else {}), key_id(own): own})


async def _read_activations(
    domain: str, trust: TrustStore | None, *, topic: str, cluster: Cluster
) -> list[Activation]:
    """The activations of a domain that workers with this trust store would consider, in order."""
    found = []
    async for record in read_topic(cluster, topic):
        if (record.key or b"").startswith(f"active/{domain}/".encode()) and record.value:
            try:
                signed = signed_from_bytes(record.value)
                if trust is not None:
                    trust.verify(signed, "activation")
                found.append(activation_from_bytes(signed.content))
            except RuleStoreError:
                continue  # workers refuse it too
    return found
