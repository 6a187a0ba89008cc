"""Publishes a release and activates it: what `kdsl release activate` does."""

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from rule_store import (
    Activation,
    RuleStoreError,
    Signed,
    TrustStore,
    activation_from_bytes,
    activation_to_bytes,
    digest,
    read_release,
    release_key,
    sign,
    signed_from_bytes,
    signed_to_bytes,
    topic_key,
)
from streams.kafka import open_producer, read_topic
from streams.topics import topic_name


async def publish_and_activate(
    signed: Signed,
    *,
    key: Ed25519PrivateKey | None,
    by: str,
    now_ms: int,
    bootstrap: str,
    prefix: str,
    trust: TrustStore | None = None,
) -> Activation:
    """Put a release into `rules.releases`, then the activation that points at it.

    The activation's sequence is one above the highest in the topic, so a roll-back is simply the
    activation of an earlier release.

    Args:
        signed: the release with its signatures.
        key: signs the activation; None leaves it unsigned.
        by: who activates, for the audit trail.
        now_ms: when.
        bootstrap: the cluster.
        prefix: of the topics.
        trust: whose earlier activations count; None counts anybody's.

    Raises:
        InvalidRelease: the content is no release.
        BrokerUnreachable: nobody answers.
        TopicMissing: the topics were never created.
    """
    release = read_release(signed.content)
    topic = topic_name("releases", prefix=prefix)
    name = digest(signed.content)
    activation = Activation(
        domain=release.domain,
        labels_digest=release.labels_digest,
        digest=name,
        shadow=None,
        sequence=1
        + await _highest_sequence(release.domain, topic=topic, bootstrap=bootstrap, trust=trust),
        by=by,
        at_ms=now_ms,
    )
    content = activation_to_bytes(activation)
    envelope = sign(content, key, "activation") if key else Signed(content=content, signatures=())
    async with open_producer(bootstrap) as producer:
        # The release first: whoever reads the activation finds it.
        await producer.send_and_wait(
            topic, key=release_key(name).encode(), value=signed_to_bytes(signed)
        )
        await producer.send_and_wait(
            topic, key=topic_key(activation).encode(), value=signed_to_bytes(envelope)
        )
    return activation


async def _highest_sequence(
    domain: str, *, topic: str, bootstrap: str, trust: TrustStore | None
) -> int:
    highest = 0
    async for record in read_topic(bootstrap, topic):
        if (record.key or b"").startswith(f"active/{domain}/".encode()) and record.value:
            try:
                signed = signed_from_bytes(record.value)
                if trust is not None:
                    trust.verify(signed, "activation")
                activation = activation_from_bytes(signed.content)
            except RuleStoreError:
                continue  # workers refuse it too; it holds no sequence to go beyond
            highest = max(highest, activation.sequence)
    return highest
