"""A run of `kdsl refresh`: mine, build, ask the gate, sign, activate."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from hashlib import sha256
from pathlib import Path
from typing import Protocol

import platformdirs
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from inference.bundle import Bundle
from inference.classifier import Classifier
from rule_store import (
    Activation,
    Release,
    Signed,
    TrustStore,
    read_release,
    sign,
    signed_to_bytes,
)
from rule_store.mining.gate import GateSettings
from rule_store.registry import RefreshRow, Registry
from rule_store.registry.place import RegistryPlace
from streams.activating import Wanted, activate_release
from streams.active_release import ActiveRelease
from streams.admission import Split
from streams.building import folder_rules, pack_rules
from streams.domain import Domain
from streams.labelled import LabelledQuestion
from streams.publishing import ReleaseTopic
from streams.refreshing import (
    Candidate,
    Setting,
    admit,
    build_candidate,
    in_words,
    inputs_digest,
    known,
)
from streams.registering import settle

_FOLDER_DIGITS = 12


class Mine(Protocol):
    """Mines rules from these questions into a folder, as `kdsl rules mine` writes it."""

    def __call__(self, questions: Sequence[LabelledQuestion], folder: Path, /) -> None: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class RefreshJob:
    """A refresh as it is asked for.

    classifier: the model that workers ask; None for rules alone.
    folder: what is mined goes into a folder of its own in it, for each set of inputs.
    settings: of view and mining, as the release keeps them.
    stage: put the candidate into the registry and stop.
    key, trust, new_key, by, at_ms: as in `Wanted`.
    version: of this program and what it mines with.
    """

    domain: Domain
    classifier: Classifier | None
    folder: Path
    settings: Mapping[str, Setting]
    gate: GateSettings
    stage: bool
    key: Ed25519PrivateKey | None
    trust: TrustStore | None
    new_key: bool
    by: str
    at_ms: int
    version: str

    @property
    def bundle(self) -> Bundle | None:
        return None if self.classifier is None else self.classifier.bundle

    @property
    def wanted(self) -> Wanted:
        """An activation, of no release yet."""
        return Wanted(
            release="",
            key=self.key,
            trust=self.trust,
            new_key=self.new_key,
            by=self.by,
            at_ms=self.at_ms,
        )

    def inputs(self, labelled: Sequence[LabelledQuestion]) -> str:
        """Digest of what the candidate and the gate's word on it depend on."""
        gate = {f"gate_{name}": value for name, value in asdict(self.gate).items()}
        return inputs_digest(
            self.domain,
            labelled,
            bundle=None if self.bundle is None else self.bundle.digest,
            settings={**self.settings, **gate},
            version=self.version,
        )


def refresh_folder(registry: str | Path, domain: str) -> Path:
    """Where refreshes of a registry's domain work: beside a file, else in the user's own folder.

    >>> refresh_folder("/srv/kdsl/registry.db", "storefront")
    PosixPath('/srv/kdsl/registry-refresh/storefront')
    """
    place = RegistryPlace.of(registry)
    if place.file is not None:
        return place.file.with_name(f"{place.file.stem}-refresh") / domain
    named = sha256(str(place).encode()).hexdigest()[:_FOLDER_DIGITS]
    return platformdirs.user_data_path("kdsl") / "refresh" / named / domain


def candidate_file(folder: Path, inputs: str) -> Path:
    """Where the candidate of a run stands, among what it was made from."""
    return folder / inputs[:_FOLDER_DIGITS] / "candidate.release"


def run(
    registry: Registry,
    topic: ReleaseTopic,
    job: RefreshJob,
    *,
    labelled: Sequence[LabelledQuestion],
    mine: Mine,
) -> RefreshRow:
    """Bring what is in force to what these examples teach, if the gate lets it; what came of it.

    Raises:
        StreamsError, RuleStoreError, InferenceError: whatever stopped it; unless it says that the
            release is activated, what is in force stays.
    """
    # Of equal candidates mining takes the first: files in another order mine the same rules.
    labelled = sorted(labelled, key=lambda each: each.example_id)
    active = registry.active(job.domain.name, job.domain.labels_digest)
    _publish_waiting(registry, topic, job)
    inputs = job.inputs(labelled)
    before = known(registry.last_refresh(job.domain.name, inputs), active, stage=job.stage)
    row = RefreshRow(
        domain=job.domain.name,
        outcome="unchanged",
        inputs=inputs,
        active=None if active is None else active.digest,
    )
    if before is not None:
        return replace(row, outcome=before.outcome, release=before.release, reasons=before.reasons)
    file = candidate_file(job.folder, inputs)
    candidate = _candidate(registry, job, labelled, active, mine, file)
    row = replace(row, release=candidate.digest, reasons=in_words(candidate.report))
    if candidate.digest == row.active:
        return replace(row, reasons=("the candidate is the release in force",))
    if not candidate.report.passed:
        return replace(row, outcome="refused")
    _register(registry, job, candidate, active)
    if job.stage:
        return replace(row, outcome="staged")
    _activate(registry, topic, job, candidate, active)
    return replace(row, outcome="activated")


def _candidate(
    registry: Registry,
    job: RefreshJob,
    labelled: Sequence[LabelledQuestion],
    active: Activation | None,
    mine: Mine,
    file: Path,
) -> Candidate:
    split = Split.of(labelled)
    mine(split.learn, file.parent)
    sources = pack_rules(job.domain) | folder_rules(file.parent, job.domain)
    release = build_candidate(
        job.domain, sources, split.learn, bundle=job.bundle, settings=job.settings
    )
    candidate = admit(
        job.domain,
        release,
        split,
        active=None if active is None else _in_force(registry, job.domain, active),
        classifier=job.classifier,
        gate=job.gate,
    )
    file.write_bytes(signed_to_bytes(_signed(candidate.content, job)))
    return candidate


def _in_force(registry: Registry, domain: Domain, active: Activation) -> ActiveRelease:
    release: Release = read_release(registry.signed(active.digest).content)
    return ActiveRelease.of(release, digest=active.digest, domain=domain)


def _signed(content: bytes, job: RefreshJob) -> Signed:
    if job.key is None:
        return Signed(content=content, signatures=())
    return sign(content, job.key, "release")


def _register(
    registry: Registry, job: RefreshJob, candidate: Candidate, active: Activation | None
) -> None:
    signed = _signed(candidate.content, job)
    registry.add_release(
        signed,
        by=job.by,
        at_ms=job.at_ms,
        parent=None if active is None else active.digest,
        note="refreshed; the audit trail says what the gate found",
        verified=[each.key_id for each in signed.signatures],  # made just now
    )


def _activate(
    registry: Registry,
    topic: ReleaseTopic,
    job: RefreshJob,
    candidate: Candidate,
    active: Activation | None,
) -> None:
    # The gate compared with this one: whoever activated another meanwhile goes first.
    expected = 0 if active is None else active.sequence
    wanted = replace(job.wanted, release=candidate.digest, expected=expected)
    asyncio.run(activate_release(registry, topic, wanted))


def _publish_waiting(registry: Registry, topic: ReleaseTopic, job: RefreshJob) -> None:
    """Publish what an earlier run has activated and could not publish."""
    labels = job.domain.labels_digest
    newest = registry.history(job.domain.name, labels_digest=labels, limit=1)
    if job.stage or not newest or newest[0].published_at_ms is not None:
        return
    settling = settle(
        registry,
        topic,
        domain=job.domain.name,
        labels_digest=labels,
        trust=job.wanted.counted,
        now_ms=job.at_ms,
    )
    asyncio.run(settling)
