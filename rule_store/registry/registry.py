"""Registry: what is kept of releases, activations and examples, and the few ways to change it."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator

from rule_store.activation import Activation
from rule_store.binding import Binding
from rule_store.registry import activations, bindings, examples, refreshes, releases
from rule_store.registry import audit as trail
from rule_store.registry.activations import ActivationRow, MakeEnvelope, Wish
from rule_store.registry.audit import AuditRow
from rule_store.registry.examples import Added, LabelledExample
from rule_store.registry.opening import OpenDatabase
from rule_store.registry.refreshes import RefreshRow
from rule_store.registry.releases import Provenance, ReleaseRow
from rule_store.signing import Signed


class Registry(OpenDatabase):
    """What stands in a registry, and the few ways to change it.

    Every change is one short transaction that also writes an audit row; changes come one after
    another. Whatever is refused leaves the registry as it was.

        with Registry.open(path) as registry:
            row = registry.add_release(signed, by="ann", at_ms=now_ms)
    """

    # Releases

    def add_release(
        self,
        signed: Signed,
        *,
        by: str,
        at_ms: int,
        parent: str | None = None,
        note: str | None = None,
        verified: Collection[str] = (),
    ) -> ReleaseRow:
        """Keep a release; one that is there already gains the signatures of further keys.

        Signatures are not verified here: who is trusted is for those who obey to say. Those of keys
        in `verified` are known to fit, and take the place of others of the same key.

        Raises:
            InvalidRelease, InvalidEnvelope, InvalidEntry: malformed, or a field out of bounds.
            UnknownRelease: no such parent.
            RegistryConflict: the parent is of another domain, or the release stands with another
                signature of a key that is not verified.
        """
        provenance = Provenance(by=by, at_ms=at_ms, parent=parent, note=note)
        return releases.add(self._database, signed, provenance, frozenset(verified))

    def release(self, name: str) -> ReleaseRow:
        """The release of a digest, or of the first four or more digits that only it has.

        Raises:
            UnknownRelease: none, or several.
        """
        with self._database.reading() as connection:
            return releases.find(connection, name)

    def signed(self, name: str) -> Signed:
        """Likewise its bytes with their signatures.

        Raises:
            UnknownRelease: none, or several.
            RegistryDamaged: the bytes are not those that were put there.
        """
        with self._database.reading() as connection:
            return releases.read(connection, releases.find(connection, name))

    def releases(
        self, domain: str | None = None, *, limit: int = 100, before: int | None = None
    ) -> tuple[ReleaseRow, ...]:
        """The newest releases first; `before` is the number of the last row already seen."""
        return releases.page(self._database, domain, limit=limit, before=before)

    # Activations, and where they are published

    def activate(
        self,
        domain: str,
        labels_digest: str,
        digest: str,
        *,
        shadow: str | None,
        by: str,
        at_ms: int,
        make_envelope: MakeEnvelope,
        at_least_sequence: int = 0,
        expected: int | None = None,
        binding: Binding | None = None,
    ) -> Activation:
        """Decide that a release is in force, and put it into the outbox to be published.

        Args:
            domain: whose workers shall obey.
            labels_digest: likewise.
            digest: the release, or enough of its first digits.
            shadow: a release to evaluate without effect.
            by: who activates.
            at_ms: when.
            make_envelope: signs the activation; gives the bytes to be published.
            at_least_sequence: the highest sequence known from elsewhere, such as from the topic.
            expected: sequence of the activation that it follows upon, 0 for none; None: of any.
            binding: where it is going to be published; the first one binds the registry to it.

        Raises:
            UnknownRelease: the registry has no such release or shadow.
            RegistryConflict: it is for another domain or other labels; another activation than
                `expected` is in force; or as `refuse_elsewhere` says.
            InvalidActivation, InvalidEntry: a field out of its range.
        """
        wish = Wish(
            domain=domain,
            labels_digest=labels_digest,
            digest=digest,
            shadow=shadow,
            by=by,
            at_ms=at_ms,
            at_least=at_least_sequence,
            expected=expected,
            binding=binding,
        )
        return activations.activate(self._database, wish, make_envelope)

    def active(self, domain: str, labels_digest: str) -> Activation | None:
        """The activation in force."""
        return activations.active(self._database, domain, labels_digest)

    def previous(self, domain: str, labels_digest: str) -> Activation | None:
        """The last activation of another release than the one in force: for a roll-back."""
        return activations.previous(self._database, domain, labels_digest)

    def history(
        self,
        domain: str,
        *,
        labels_digest: str | None = None,
        limit: int = 100,
        before: int | None = None,
    ) -> tuple[ActivationRow, ...]:
        """The newest activations first; `before` is the number of the last row already seen."""
        return activations.history(
            self._database, domain, labels_digest=labels_digest, limit=limit, before=before
        )

    def published(self, activation: Activation, *, at_ms: int) -> None:
        """Note that an activation stands in the topic; saying so again changes nothing.

        Raises:
            UnknownActivation: it was not activated here.
        """
        activations.published(
            self._database,
            activation.domain,
            activation.labels_digest,
            activation.sequence,
            at_ms=at_ms,
        )

    def bind(self, binding: Binding, *, by: str, at_ms: int) -> Binding | None:
        """Let it belong there, wherever it did; where it belonged before."""
        with self._database.writing() as connection:
            return bindings.bind(connection, binding, by=by, at_ms=at_ms)

    @property
    def unbound(self) -> bool:
        """Whether it has activations and belongs nowhere yet, as one of an older schema."""
        with self._database.reading() as connection:
            return bindings.unbound(connection)

    def refuse_elsewhere(self, binding: Binding) -> None:
        """Raise RegistryConflict where it must not publish: elsewhere, or while `unbound`."""
        with self._database.reading() as connection:
            bindings.refuse_elsewhere(connection, binding)

    # Audit trail

    def audit(self, *, limit: int = 100, before: int | None = None) -> tuple[AuditRow, ...]:
        """The newest rows first; `before` is the number of the last row already seen."""
        return trail.page(self._database, limit=limit, before=before)

    def verify_audit(self) -> int:
        """Recount the chain of hashes; how many rows there are.

        Raises:
            AuditBroken: names the first row that is not as it was written.
        """
        return trail.verify(self._database)

    # Refreshes

    def note_refresh(self, row: RefreshRow, *, by: str, at_ms: int) -> None:
        """Write down what a run of `kdsl refresh` came to."""
        refreshes.note(self._database, row, by=by, at_ms=at_ms)

    def last_refresh(self, domain: str, inputs: str) -> RefreshRow | None:
        """The newest run with these inputs that came to a decision."""
        return refreshes.last(self._database, domain, inputs)

    def overruled(self, domain: str, labels_digest: str, release: str) -> bool:
        """Whether a person has put another in the place of a release since it was last in force.

        A run of `kdsl refresh` that activates is no person.
        """
        return refreshes.overruled(self._database, domain, labels_digest, release)

    # Labelled examples

    def add_examples(
        self, domain: str, rows: Iterable[LabelledExample], *, by: str, at_ms: int
    ) -> Added:
        """Keep examples; those that stand there with the same content are left as they are.

        Raises:
            InvalidEntry: a row out of bounds.
            RegistryConflict: one id, two contents. Chunks before it stay; correct and add again.
        """
        return examples.add(self._database, domain, rows, by=by, at_ms=at_ms)

    def examples(
        self, domain: str, *, label: str | None = None, origin: str | None = None
    ) -> Iterator[LabelledExample]:
        """All examples of a domain by id; read in chunks, however many there are."""
        return examples.stream(self._database, domain, label=label, origin=origin)

    def remove_examples(self, domain: str, ids: Iterable[str], *, by: str, at_ms: int) -> int:
        """Forget examples; how many there were."""
        return examples.remove(self._database, domain, ids, by=by, at_ms=at_ms)
