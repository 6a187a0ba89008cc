"""Brings `rules.releases` to what the registry says is in force."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from rule_store import Activation, TrustStore, release_key, signed_to_bytes, topic_key
from streams.errors import NotPublished
from streams.published import Published
from streams.publishing import ReleaseTopic

if TYPE_CHECKING:  # commands load the database when they open it (docs/adr/0011)
    from rule_store.registry import ActivationRow, Registry

# Somebody else may write in between; who loses this often has not met chance.
_PASSES = 5
_PAGE = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class Settled:
    """The newest activation of a domain and its labels, and how the topic stands to it.

    outcome: *stands* is the newest in the topic, *published* was put there just now, *republished*
        likewise although it had been there before, *overruled* is not what workers obey.
    overruled_by: what they obey then.
    """

    activation: Activation
    outcome: Literal["stands", "published", "republished", "overruled"]
    overruled_by: Activation | None = None


async def sync_topic(
    registry: Registry, topic: ReleaseTopic, *, trust: TrustStore | None, now_ms: int
) -> tuple[Settled, ...]:
    """Bring the topic to what the registry says is in force; doing so again changes nothing.

    Raises:
        RegistryConflict: the registry belongs to another topic, or nobody said to which.
        NotPublished: somebody else keeps writing to the topic.
        BrokerUnreachable, TopicMissing: nobody answers.
    """
    rows = list(in_force(registry))
    if rows:
        registry.refuse_elsewhere(await topic.binding())
    return tuple(
        [
            await settle(
                registry,
                topic,
                domain=row.activation.domain,
                labels_digest=row.activation.labels_digest,
                trust=trust,
                now_ms=now_ms,
            )
            for row in rows
        ]
    )


async def settle(
    registry: Registry,
    topic: ReleaseTopic,
    *,
    domain: str,
    labels_digest: str,
    trust: TrustStore | None,
    now_ms: int,
    published: Published | None = None,
) -> Settled:
    """Publish the newest activation, unless it is the last record of its key already.

    Older ones that wait are not published any more: workers would obey each for a moment only.
    Those, and one that is overruled, stay unpublished in the registry: the topic never had them.

    Args:
        registry: has at least one activation of this domain and these labels.
        topic: to be brought to what the registry says.
        domain: whose workers obey.
        labels_digest: likewise.
        trust: whose activations in the topic count; None counts all.
        now_ms: when.
        published: what stands in the topic, when that was read just now with this trust store.
    """
    sent = False
    for _ in range(_PASSES):
        published = published or await topic.read(trust)
        # Read anew: somebody may have activated since, and ours must not stand behind theirs.
        row = _newest(registry, domain, labels_digest)
        overruling = _overruling(row.activation, published)
        records = [] if overruling else _lacking(registry, row, published)
        if not records:
            if not overruling:
                registry.published(row.activation, at_ms=now_ms)
            return _settled(row, overruling, sent=sent)
        await topic.send(records)
        sent, published = True, None
    raise NotPublished(
        f"somebody else keeps writing activations of {domain} to the topic: find out who, then run "
        "`kdsl release sync`"
    )


def _settled(row: ActivationRow, overruling: Activation | None, *, sent: bool) -> Settled:
    if overruling is not None:
        return Settled(activation=row.activation, outcome="overruled", overruled_by=overruling)
    if not sent:
        return Settled(activation=row.activation, outcome="stands")
    waited = row.published_at_ms is None
    return Settled(activation=row.activation, outcome="published" if waited else "republished")


def _overruling(own: Activation, published: Published) -> Activation | None:
    """What workers obey in the place of the registry's newest, if anything."""
    newest = published.in_force.get(topic_key(own))
    if newest is None or newest.activation == own or newest.activation.sequence < own.sequence:
        return None
    return newest.activation


def _lacking(
    registry: Registry, row: ActivationRow, published: Published
) -> list[tuple[str, bytes]]:
    """The records to be sent: releases first, so that who reads the activation finds them."""
    activation = row.activation
    records = []
    absent = not published.ends_with(topic_key(activation), row.envelope)
    for name in (activation.digest, activation.shadow):
        if name is None:
            continue
        signed, there = registry.signed(name), published.release(name)
        if there is None or not there.signatures.issuperset(signed.signatures):
            records.append((release_key(name), signed_to_bytes(signed)))
        # A worker that did not find the release tries again when it is pointed at it again.
        absent = absent or there is None
    return [*records, (topic_key(activation), row.envelope)] if absent else records


def in_force(registry: Registry) -> Iterator[ActivationRow]:
    """The newest activation of every domain and labels of which the registry has any."""
    for domain, labels_digest in sorted(_places(registry)):
        found = registry.history(domain, labels_digest=labels_digest, limit=1)
        yield from found


def _places(registry: Registry) -> set[tuple[str, str]]:
    places: set[tuple[str, str]] = set()
    before = None
    while rows := registry.releases(limit=_PAGE, before=before):
        places |= {(row.domain, row.labels_digest) for row in rows}
        before = rows[-1].number
    return places


def _newest(registry: Registry, domain: str, labels_digest: str) -> ActivationRow:
    return registry.history(domain, labels_digest=labels_digest, limit=1)[0]
