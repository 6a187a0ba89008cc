"""What stands in `rules.releases`, as somebody sees it who decides what to put there."""

from collections import defaultdict
from dataclasses import dataclass

from rule_store import (
    ACTIVATION_BYTES,
    Activation,
    RuleStoreError,
    Signed,
    TrustStore,
    activation_from_bytes,
    digest,
    release_key,
    signed_from_bytes,
    topic_key,
)
from streams.records import Record

_RELEASE = release_key("")
_ACTIVE = "active/"


@dataclass(frozen=True, slots=True, kw_only=True)
class PublishedActivation:
    """An activation with its signatures, as the record at `offset` holds it."""

    offset: int
    activation: Activation
    signed: Signed


class Published:
    """Releases by digest, and the activations of each domain and its labels in their order."""

    def __init__(self) -> None:
        self._signers: dict[str, frozenset[str]] = {}
        self._activations: dict[str, list[PublishedActivation]] = defaultdict(list)
        self._last: dict[str, bytes] = {}

    def note(self, record: Record) -> None:
        """Take one record in; what is no release or activation counts as nothing."""
        key = (record.key or b"").decode(errors="replace")
        if key.startswith(_RELEASE):
            self._note_release(key.removeprefix(_RELEASE), record.value)
        elif key.startswith(_ACTIVE):
            self._note_activation(key, record.value, offset=record.offset)

    def _note_release(self, name: str, value: bytes | None) -> None:
        self._signers.pop(name, None)
        try:
            signed = signed_from_bytes(value or b"")
        except RuleStoreError:
            return
        if digest(signed.content) == name:
            self._signers[name] = frozenset(each.key_id for each in signed.signatures)

    def _note_activation(self, key: str, value: bytes | None, *, offset: int) -> None:
        self._last[key] = value or b""
        try:
            signed = signed_from_bytes(value or b"", content_bytes=ACTIVATION_BYTES)
            activation = activation_from_bytes(signed.content)
        except RuleStoreError:
            return
        if topic_key(activation) == key:
            found = PublishedActivation(offset=offset, activation=activation, signed=signed)
            self._activations[key].append(found)

    def holds(self, name: str, signers: frozenset[str]) -> bool:
        """Whether a release stands there whole, with the signatures of these keys at least."""
        return name in self._signers and signers <= self._signers[name]

    def ends_with(self, key: str, envelope: bytes) -> bool:
        """Whether this is the last record of a key: the one that compaction leaves."""
        return self._last.get(key) == envelope

    def newest(self, key: str, trust: TrustStore | None) -> PublishedActivation | None:
        """The activation that workers with this trust store obey: of equals the first one."""
        counted = (each for each in self._activations[key] if _counts(each, trust))
        return max(counted, key=lambda each: each.activation.sequence, default=None)

    def signers(self, key: str) -> tuple[str, ...]:
        """The keys that signed activations, trusted or not, in the order of their first."""
        signatures = (each.signed.signatures for each in self._activations[key])
        return tuple(dict.fromkeys(each.key_id for some in signatures for each in some))


def _counts(found: PublishedActivation, trust: TrustStore | None) -> bool:
    if trust is None:
        return True
    try:
        trust.verify(found.signed, "activation")
    except RuleStoreError:
        return False
    return True
