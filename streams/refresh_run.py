"""A run of `kdsl refresh`: mine, build, ask the gate, sign, activate."""

import asyncio
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Protocol

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from inference.bundle import Bundle
from inference.classifier import Classifier
from rule_store import Activation, Release, Signed, TrustStore, read_release, sign
from rule_store.mining.gate import Check, GateReport, GateSettings, enough
from rule_store.registry import RefreshRow, Registry
from streams.activating import Wanted
from streams.admission import Split
from streams.building import folder_rules, pack_rules
from streams.domain import Domain
from streams.labelled import LabelledQuestion
from streams.publishing import ReleaseTopic
from streams.refresh_bundle import refuse_other_bundle
from streams.refresh_folder import candidate_file, keep_candidate
from streams.refresh_tasks import kept_in_words, kept_tasks
from streams.refresh_topic import RefreshTopic
from streams.refresh_trail import RefreshTrail
from streams.refreshing import (
    Candidate,
    Known,
    Setting,
    admit,
    build_candidate,
    in_words,
    inputs_digest,
    known,
)


class Mine(Protocol):
    """Mines rules from these questions into a folder, as `kdsl rules mine` writes it."""

    def __call__(self, questions: Sequence[LabelledQuestion], folder: Path, /) -> None: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class RefreshJob:
    """A refresh as it is asked for.

    classifier: the model that workers ask; None for rules alone.
    folder: what is mined goes into a folder of its own in it, for each set of inputs.
    forget_old: whether the folders of older runs are removed; not where others may work too.
    settings: of view and mining, as the release keeps them.
    change_bundle: whether the release in force may have been fitted with another bundle.
    stage: put the candidate into the registry and stop.
    key, trust, new_key, by, at_ms: as in `Wanted`.
    version: of this program and what it mines with.
    """

    domain: Domain
    classifier: Classifier | None
    folder: Path
    forget_old: bool
    settings: Mapping[str, Setting]
    gate: GateSettings
    change_bundle: bool
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


@dataclass(frozen=True, slots=True, kw_only=True)
class _InForce:
    """What the registry has in force; None for nothing."""

    activation: Activation | None
    release: Release | None

    @classmethod
    def of(cls, registry: Registry, domain: Domain) -> "_InForce":
        rows = registry.history(domain.name, labels_digest=domain.labels_digest, limit=1)
        if not rows:
            return cls(activation=None, release=None)
        return cls(
            activation=rows[0].activation,
            release=read_release(registry.signed(rows[0].activation.digest).content),
        )

    @property
    def digest(self) -> str | None:
        return None if self.activation is None else self.activation.digest


def run(
    registry: Registry,
    topic: ReleaseTopic,
    job: RefreshJob,
    *,
    labelled: Sequence[LabelledQuestion],
    mine: Mine,
    trail: RefreshTrail,
) -> RefreshRow:
    """Bring what is in force to what these examples teach, if the gate lets it; what came of it.

    Raises:
        StreamsError, RuleStoreError, InferenceError: whatever stopped it; unless it says that the
            release is activated, what is in force stays.
    """
    # Of equal candidates mining takes the first: files in another order mine the same rules.
    labelled = sorted(labelled, key=lambda each: each.example_id)
    inputs, active = job.inputs(labelled), _InForce.of(registry, job.domain)
    trail.begun(inputs=inputs, active=active.digest)
    refuse_other_bundle(active.release, job.bundle, change=job.change_bundle)
    obeyed = RefreshTopic(
        registry=registry,
        topic=topic,
        wanted=job.wanted,
        domain=job.domain.name,
        labels_digest=job.domain.labels_digest,
    )
    if not job.stage:
        asyncio.run(obeyed.make_ready(active.activation))
    before = _known(registry, job, inputs, active)
    if before is not None:
        trail.found(before.release, before.reasons)
        return trail.ended(before.outcome)
    split = Split.of(labelled)
    told = _enough(split, job.gate)
    if not told.passed:
        unmined = "nothing was mined: the gate could not judge it"
        trail.found(None, (*in_words(GateReport(checks=(told,))), unmined))
        return trail.ended("refused")
    candidate = _candidate(job, inputs, split, active, mine)
    return _settled(candidate, obeyed, job, active, trail)


def _known(registry: Registry, job: RefreshJob, inputs: str, active: _InForce) -> Known | None:
    domain = job.domain
    last = registry.last_refresh(domain.name, inputs)
    overruled = (
        last is not None
        and last.release is not None
        and registry.overruled(domain.name, domain.labels_digest, last.release)
    )
    return known(last, active.activation, overruled=overruled, stage=job.stage)


def _enough(split: Split, gate: GateSettings) -> Check:
    dialogues = {(each.question.task, each.dialogue_id) for each in split.admission}
    return enough(Counter(task for task, _ in sorted(dialogues)), gate)


def _settled(
    candidate: Candidate,
    obeyed: RefreshTopic,
    job: RefreshJob,
    active: _InForce,
    trail: RefreshTrail,
) -> RefreshRow:
    """Do what the gate's word on a candidate asks for."""
    if candidate.digest == active.digest:
        trail.found(candidate.digest, ("the candidate is the release in force",))
        return trail.ended("unchanged")
    trail.found(candidate.digest, (*in_words(candidate.report), *candidate.notes))
    if not candidate.report.passed:
        return trail.ended("refused")
    _register(obeyed.registry, job, candidate, active.digest)
    if job.stage:
        return trail.ended("staged")
    trail.activating()
    more = asyncio.run(obeyed.put_in_force(candidate.digest, active.activation))
    return trail.ended("activated", *more)


def _candidate(
    job: RefreshJob,
    inputs: str,
    split: Split,
    active: _InForce,
    mine: Mine,
) -> Candidate:
    kept = {}
    if active.digest is not None:
        kept = kept_tasks(job.domain, split, least=job.gate.task_examples)
    learn = [each for each in split.learn if each.question.task not in kept]
    folder = candidate_file(job.folder, inputs).parent
    mine(learn, folder)
    release = build_candidate(
        job.domain,
        pack_rules(job.domain) | folder_rules(folder, job.domain),
        learn,
        bundle=job.bundle,
        settings=job.settings,
        active=active.release,
        kept=kept,
    )
    candidate = admit(
        job.domain, release, split, active=active.release, classifier=job.classifier, gate=job.gate
    )
    keep_candidate(job.folder, inputs, candidate.content, forget_old=job.forget_old)
    return replace(candidate, notes=(*kept_in_words(kept, active.digest or ""), *candidate.notes))


def _register(
    registry: Registry, job: RefreshJob, candidate: Candidate, parent: str | None
) -> None:
    signed = Signed(content=candidate.content, signatures=())
    if job.key is not None:
        signed = sign(candidate.content, job.key, "release")
    registry.add_release(
        signed,
        by=job.by,
        at_ms=job.at_ms,
        parent=parent,
        note="refreshed; the audit trail says what the gate found",
        verified=[each.key_id for each in signed.signatures],  # made just now
    )
