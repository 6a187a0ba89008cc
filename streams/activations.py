"""What the records of `rules.releases` mean to one worker: which activation it is to obey."""

from collections import deque

from rule_store import (
    ACTIVATION_BYTES,
    Activation,
    InvalidActivation,
    KeyRefused,
    Release,
    RuleStoreError,
    Signed,
    Untrusted,
    activation_from_bytes,
    digest,
    read_release,
    signed_from_bytes,
    supersedes,
    topic_key,
)
from streams.active_release import ActiveRelease
from streams.domain import Domain
from streams.errors import ReleaseRefused
from streams.records import Record
from streams.trust import Trust

_RELEASE = b"release/"
_REFUSED = 16


class Activations:
    """Reads activations in order and remembers where each release stands in the topic."""

    def __init__(self, *, domain: Domain, trust: Trust | None) -> None:
        """Set up for one domain.

        Args:
            domain: whose activations count; its labels too.
            trust: whose signatures count; None obeys anybody (`--allow-unsigned`).
        """
        self._domain = domain
        self._trust = trust
        self._key = f"active/{domain.name}/{domain.labels_digest}".encode()
        self._offsets: dict[str, int] = {}
        # Also while a worker still reads the topic from its beginning: an old activation sent in
        # again must not win over a later one that stands before it.
        self._newest: Activation | None = None
        # Their keys may be trusted later, as a worker that starts then would see them.
        self._refused: deque[bytes] = deque(maxlen=_REFUSED)

    def note(self, record: Record) -> Activation | None:
        """Take one record in; an activation that is now to be obeyed is returned.

        Raises:
            ReleaseRefused: an activation for this worker that must not be obeyed.
        """
        key = record.key or b""
        if key.startswith(_RELEASE):
            self._note_release(key[len(_RELEASE) :].decode(errors="replace"), record)
            return None
        if key != self._key:
            return None
        if record.value is None:
            self._refused.clear()
            return None
        try:
            activation = self._read(record.value)
        except RuleStoreError as error:
            if isinstance(error, Untrusted | KeyRefused) and record.value not in self._refused:
                self._refused.append(record.value)
            raise ReleaseRefused(f"activation refused: {error}") from error
        if activation == self._newest:
            return activation  # published again: its release may be there now
        if not supersedes(activation, self._newest):
            raise ReleaseRefused(
                f"activation refused: its sequence {activation.sequence} is not above the newest "
                "one; a roll-back is a new activation"
            )
        self._newest = activation
        # A worker that starts after compaction sees nothing of what stood before it.
        self._refused.clear()
        return activation

    def reconsider(self) -> list[Activation]:
        """Activations that were refused and are now to be obeyed, as their keys are trusted."""
        found = []
        for envelope in tuple(self._refused):
            try:
                activation = self._read(envelope)
            except RuleStoreError:
                continue
            self._refused.remove(envelope)
            if supersedes(activation, self._newest):
                self._newest = activation
                found.append(activation)
        return found

    def _note_release(self, name: str, record: Record) -> None:
        if record.value is None:
            self._offsets.pop(name, None)
        else:
            self._offsets[name] = record.offset

    def _read(self, envelope: bytes) -> Activation:
        signed = signed_from_bytes(envelope, content_bytes=ACTIVATION_BYTES)
        if self._trust is not None:
            self._trust.verify(signed, "activation")
        activation = activation_from_bytes(signed.content)
        if topic_key(activation).encode() != self._key:
            raise InvalidActivation("domain", "names another domain or other labels")
        return activation

    def offset_of(self, name: str) -> int:
        """Where a release, by its digest, stands in the topic.

        Raises:
            ReleaseRefused: it was never published, or was deleted.
        """
        offset = self._offsets.get(name)
        if offset is None:
            raise ReleaseRefused(
                f"release {name} refused: it is not in the topic; publish it with "
                "`kdsl release sync`, or activate again",
                digest=name,
            )
        return offset

    def open(self, name: str, envelope: bytes | None) -> ActiveRelease:
        """Verify a release, by its digest, and lay it out for deciding.

        Raises:
            ReleaseRefused: digest, signature, schema or labels are not as they should be.
        """
        try:
            signed = signed_from_bytes(envelope or b"")
            if digest(signed.content) != name:
                raise ReleaseRefused(f"release {name} is not what its key says")
            release = open_release(signed, trust=self._trust)
            return ActiveRelease.of(release, digest=name, domain=self._domain)
        except (RuleStoreError, ReleaseRefused) as error:
            raise ReleaseRefused(f"release {name} refused: {error}", digest=name) from error


def open_release(signed: Signed, *, trust: Trust | None) -> Release:
    """Verify a release's signature, if a trust store is given, and read it.

    Raises:
        RuleStoreError: untrusted or malformed.
    """
    if trust is not None:
        trust.verify(signed, "release")
    return read_release(signed.content)
