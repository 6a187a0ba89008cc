"""What stands in `rules.releases`, and what of it workers obey."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass

from rule_store import (
    ACTIVATION_BYTES,
    Activation,
    RuleStoreError,
    Signature,
    TrustStore,
    activation_from_bytes,
    digest,
    release_key,
    signed_from_bytes,
    supersedes,
    topic_key,
)
from streams.records import Record
from streams.trust_folder import trusted_signers

_RELEASE = release_key("")
_ACTIVE = "active/"


@dataclass(frozen=True, slots=True, kw_only=True)
class PublishedRelease:
    """Whose signatures stand on a release.

    trusted: the keys whose signatures count; none without a trust store.
    """

    signatures: frozenset[Signature] = frozenset()
    trusted: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class PublishedActivation:
    """An activation as the record at `offset` holds it; `trusted` as of a release."""

    offset: int
    activation: Activation
    trusted: frozenset[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class PassedOver:
    """A record that should be an activation and is none that counts."""

    offset: int
    why: str


class Published:
    """Releases by digest, and of each domain and its labels the activation that workers obey.

    Args:
        trust: the workers' trust store; None counts what anybody signed, or nobody.
    """

    def __init__(self, trust: TrustStore | None) -> None:
        self._trust = trust
        self._releases: dict[str, PublishedRelease] = {}
        self._newest: dict[str, PublishedActivation] = {}
        self._signers: dict[str, dict[str, None]] = defaultdict(dict)
        self._last: dict[str, bytes] = {}
        self._passed_over: dict[str, list[PassedOver]] = defaultdict(list)

    def note(self, record: Record) -> None:
        """Take one record in; what is no release or activation counts as nothing."""
        key = (record.key or b"").decode(errors="replace")
        if key.startswith(_RELEASE):
            self._note_release(key.removeprefix(_RELEASE), record.value or b"")
        elif key.startswith(_ACTIVE):
            self._last[key] = record.value or b""
            if record.value is not None:
                self._note_activation(key, record.value, offset=record.offset)

    def _note_release(self, name: str, envelope: bytes) -> None:
        # The last one of a key is what compaction leaves to workers that start.
        self._releases.pop(name, None)
        try:
            signed = signed_from_bytes(envelope)
        except RuleStoreError:
            return
        if digest(signed.content) == name:
            self._releases[name] = PublishedRelease(
                signatures=frozenset(signed.signatures),
                trusted=trusted_signers(self._trust, signed, "release"),
            )

    def _note_activation(self, key: str, envelope: bytes, *, offset: int) -> None:
        try:
            signed = signed_from_bytes(envelope, content_bytes=ACTIVATION_BYTES)
            activation = activation_from_bytes(signed.content)
            if topic_key(activation) != key:
                return
            self._signers[key] |= {each.key_id: None for each in signed.signatures}
            trusted = self._trust.verify(signed, "activation") if self._trust is not None else ()
        except RuleStoreError as error:
            self._passed_over[key].append(PassedOver(offset=offset, why=str(error)))
            return
        before = self._newest.get(key)
        if supersedes(activation, before.activation if before else None):
            self._newest[key] = PublishedActivation(
                offset=offset, activation=activation, trusted=frozenset(trusted)
            )
            self._passed_over.pop(key, None)  # nobody needs to mend what came before

    @property
    def in_force(self) -> Mapping[str, PublishedActivation]:
        """Key → the activation that workers obey: of equal sequences the first."""
        return self._newest

    @property
    def passed_over(self) -> tuple[PassedOver, ...]:
        """What is no activation, or none of a trusted key, behind the one in force of its key."""
        return tuple(each for some in self._passed_over.values() for each in some)

    def release(self, name: str) -> PublishedRelease | None:
        """What stands there of a release; None when it does not stand there whole."""
        return self._releases.get(name)

    def ends_with(self, key: str, envelope: bytes) -> bool:
        """Whether this is the last record of a key: the one that compaction leaves."""
        return self._last.get(key) == envelope

    def signers(self, key: str) -> tuple[str, ...]:
        """The keys that signed activations, trusted or not, in the order of their first."""
        return tuple(self._signers.get(key, ()))
