"""What workers obey by the records of `rules.releases`, and whose signatures make them."""

from collections.abc import Iterator

from rule_store import (
    ACTIVATION_BYTES,
    Activation,
    RuleStoreError,
    TrustStore,
    activation_from_bytes,
    digest,
    release_key,
    signed_from_bytes,
    topic_key,
)
from streams.records import Record
from streams.trust_folder import InForce, trusted_signers

_RELEASE = release_key("")
_ACTIVE = "active/"


class Obeyed:
    """Of each domain and its labels the activation that counts; of releases only who signed them.

    Args:
        trust: the workers' trust store.
    """

    def __init__(self, trust: TrustStore) -> None:
        self._trust = trust
        self._releases: dict[str, frozenset[str]] = {}
        self._newest: dict[str, tuple[Activation, frozenset[str]]] = {}

    def note(self, record: Record) -> None:
        """Take one record in; what no trusted key signed counts as nothing."""
        key = (record.key or b"").decode(errors="replace")
        if key.startswith(_RELEASE):
            name = key.removeprefix(_RELEASE)
            # The last one of a key is what compaction leaves to workers that start.
            self._releases[name] = self._release_signers(name, record.value or b"")
        elif key.startswith(_ACTIVE):
            self._note_activation(key, record.value or b"")

    def _release_signers(self, name: str, envelope: bytes) -> frozenset[str]:
        try:
            signed = signed_from_bytes(envelope)
        except RuleStoreError:
            return frozenset()
        if digest(signed.content) != name:
            return frozenset()
        return trusted_signers(self._trust, signed, "release")

    def _note_activation(self, key: str, envelope: bytes) -> None:
        try:
            signed = signed_from_bytes(envelope, content_bytes=ACTIVATION_BYTES)
            activation = activation_from_bytes(signed.content)
        except RuleStoreError:
            return
        signers = trusted_signers(self._trust, signed, "activation")
        before = self._newest.get(key)
        newer = before is None or activation.sequence > before[0].sequence
        if signers and newer and topic_key(activation) == key:
            self._newest[key] = (activation, signers)

    def in_force(self) -> Iterator[InForce]:
        """What is in force there."""
        for activation, signers in self._newest.values():
            yield InForce(
                domain=activation.domain,
                digest=activation.digest,
                place="topic",
                release_signers=self._releases.get(activation.digest, frozenset()),
                activation_signers=signers,
            )
