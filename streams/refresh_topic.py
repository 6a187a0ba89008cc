"""What a refresh asks of the release topic: before it mines, and when it activates."""

from dataclasses import dataclass, replace

from rule_store import Activation, sign
from rule_store.registry import Registry
from streams.activating import Wanted, activate_release, refuse_foreign_key, refuse_untrusted
from streams.brief import brief
from streams.errors import ReleaseRefused
from streams.published import Published
from streams.publishing import ReleaseTopic
from streams.registering import settle


@dataclass(frozen=True, slots=True, kw_only=True)
class RefreshTopic:
    """Registry and topic of those who obey.

    wanted: an activation, of no release yet.
    domain, labels_digest: whose workers obey.
    """

    registry: Registry
    topic: ReleaseTopic
    wanted: Wanted
    domain: str
    labels_digest: str

    async def make_ready(self, active: Activation | None) -> None:
        """Try what activating needs, before all mining; publish what an earlier run could not.

        Args:
            active: what the registry has in force.

        Raises:
            ReleaseRefused, Untrusted: workers do not trust the key, or obey what the registry has
                not in force.
            RegistryConflict: the registry belongs to another topic.
            BrokerUnreachable, TopicMissing: nobody answers.
        """
        if self.wanted.key is not None:
            refuse_untrusted(sign(b"", self.wanted.key, "release"), self.wanted)
        self.registry.refuse_elsewhere(await self.topic.binding())
        published = await self.topic.read(self.wanted.trust)
        self._refuse_ahead(published, active)
        refuse_foreign_key(published.signers(self._key), self.wanted)
        if active is not None:
            await settle(
                self.registry,
                self.topic,
                domain=self.domain,
                labels_digest=self.labels_digest,
                trust=self.wanted.counted,
                now_ms=self.wanted.at_ms,
            )

    async def put_in_force(self, release: str, active: Activation | None) -> tuple[str, ...]:
        """Activate a release of the registry; what there is to say about it.

        Args:
            release: its digest.
            active: what the gate compared with; whoever activated another meanwhile goes first.

        Raises:
            ReleaseRefused: workers obey another one; and as `activate_release`.
        """
        published = await self.topic.read(self.wanted.trust)
        self._refuse_ahead(published, self.registry.active(self.domain, self.labels_digest))
        expected = 0 if active is None else active.sequence
        wanted = replace(self.wanted, release=release, expected=expected)
        made = await activate_release(self.registry, self.topic, wanted)
        settled = made.settled
        if settled.outcome == "overruled" or settled.activation != made.activation:
            winner = settled.overruled_by or settled.activation
            raise ReleaseRefused(
                f"release {brief(release)} was activated (sequence {made.activation.sequence}), "
                f"but workers obey {_told(winner)}: see `kdsl release status`, and activate by "
                "hand what shall rule"
            )
        said = []
        if made.ahead_of_us is not None:
            said.append(f"it took the place of {_told(made.ahead_of_us)}, published meanwhile")
        if made.for_other_labels is not None:
            said.append(
                f"workers whose pack has other labels go on with {_told(made.for_other_labels)}: "
                "if the pack was changed on purpose, start workers with it"
            )
        return tuple(said)

    @property
    def _key(self) -> str:
        return f"active/{self.domain}/{self.labels_digest}"

    def _refuse_ahead(self, published: Published, active: Activation | None) -> None:
        """Raise when workers obey what the registry has not in force.

        Without a trust store anybody's activation counts: whom workers obey is not known here.
        """
        found = published.in_force.get(self._key)
        known = 0 if active is None else active.sequence
        if found is None or found.activation == active or found.activation.sequence < known:
            return
        raise ReleaseRefused(
            f"workers obey {_told(found.activation)}, which this registry has not decided: name "
            "the registry that has with --registry, or the workers' trust store with --trust if "
            "they do not obey that signer; or activate by hand what shall rule, with `kdsl release "
            "activate`"
        )


def _told(activation: Activation) -> str:
    return f"{brief(activation.digest)} (sequence {activation.sequence}, by {activation.by})"
