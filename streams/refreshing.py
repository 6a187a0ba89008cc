"""Refresh: labelled examples become a candidate release, and the gate says whether it may rule."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from hashlib import sha256
from typing import Literal

from inference.bundle import Bundle
from inference.classifier import Classifier
from inference.inputs import LabelScores, ModelInput
from rule_store import Activation, Release, canonical_bytes, digest
from rule_store.canonical import canonical_json
from rule_store.mining.gate import GateReport, GateSettings, ReleaseSize, judge_candidate
from rule_store.registry import RefreshRow
from streams.active_release import ActiveRelease
from streams.admission import Probabilities, Split, compare, held_out_probabilities
from streams.brief import brief
from streams.building import RuleSource, build_release, examples_digest, pack_rules
from streams.domain import Domain
from streams.labelled import LabelledQuestion
from streams.refresh_bundle import not_fitted, weights_kept
from streams.refresh_tasks import keep

Setting = str | int | float


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """A release that the gate has looked at, and what else there is to say of it."""

    content: bytes
    report: GateReport
    notes: tuple[str, ...]

    @property
    def digest(self) -> str:
        return digest(self.content)


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """Why a run is over before it began: the same was decided before.

    outcome: *unchanged* when there is nothing to do, *refused* when the gate would refuse again.
    """

    outcome: Literal["unchanged", "refused"]
    release: str | None
    reasons: tuple[str, ...]


def inputs_digest(
    domain: Domain,
    labelled: Sequence[LabelledQuestion],
    *,
    bundle: str | None,
    settings: Mapping[str, Setting],
    version: str,
) -> str:
    """Name all that a candidate, and what the gate says of it, is made from but the active release.

    Args:
        domain: the pack, its own rules and lexicon included.
        labelled: all examples, the admission split too.
        bundle: digest of the model.
        settings: of view, mining and gate.
        version: of this program and what it mines with; others may mine other rules.
    """
    pack = build_release(domain, pack_rules(domain))
    made_from = {
        "pack": digest(canonical_bytes(pack)),
        "examples": examples_digest(labelled),
        "dialogues": sorted([each.example_id, each.dialogue_id] for each in labelled),
        "bundle": bundle,
        "settings": dict(settings),
        "version": version,
    }
    return sha256(canonical_json(made_from)).hexdigest()


def known(
    last: RefreshRow | None, active: Activation | None, *, overruled: bool, stage: bool
) -> Known | None:
    """Whether the last run with the same inputs decided what this one would; None if not.

    What somebody has rolled back since is not put in force again: that takes other examples, or
    a person. What a later refresh has replaced may be: examples that were taken back teach what
    they taught before.

    Args:
        last: the newest run with these inputs that came to a decision.
        active: what is in force.
        overruled: whether a person has put another in the place of its release since.
        stage: whether this run stops before activating.
    """
    if last is None:
        return None
    in_force = None if active is None else active.digest
    named = brief(last.release) if last.release else "none"
    if last.outcome == "refused" and last.active == in_force:
        return Known(outcome="refused", release=last.release, reasons=last.reasons)
    if last.release is not None and last.release == in_force:
        said = f"release {named} of the same examples, pack and settings is in force"
        return Known(outcome="unchanged", release=last.release, reasons=(said,))
    if overruled:
        said = (
            f"release {named} of the same examples, pack and settings was in force, and somebody "
            f"has put another in its place: if it shall rule again, run `kdsl release activate "
            f"{named}`"
        )
        return Known(outcome="unchanged", release=last.release, reasons=(said,))
    if last.outcome == "staged" and stage and last.active == in_force:
        said = f"release {named} of the same examples, pack and settings is staged already"
        return Known(outcome="unchanged", release=last.release, reasons=(said,))
    return None


def may_have_learned(active: Release) -> bool:
    """Whether a release has rules mined from examples that are now the gate's.

    Reliabilities that were fitted tell of mining. λ and thresholds are a handful of numbers and
    learn no example by heart.
    """
    mined = any(
        known.fitted for task in active.tasks.values() for known in task.reliability.values()
    )
    return mined and active.settings.get("hold_out") != "admission"


def build_candidate(
    domain: Domain,
    sources: Mapping[str, RuleSource],
    learn: Sequence[LabelledQuestion],
    *,
    bundle: Bundle | None,
    settings: Mapping[str, Setting],
    active: Release | None = None,
    kept: Collection[str] = (),
) -> Release:
    """Build a release of rules that were mined from these examples.

    λ and thresholds are fitted on those among them of which the bundle has an out-of-fold answer:
    others came after its training. A task without one keeps those of the active release, if that
    was fitted with this bundle.

    Args:
        domain: labels, lexicon, assumed reliabilities.
        sources: the rules of every task.
        learn: the examples.
        bundle: the model that workers ask; None for rules alone.
        settings: what else a rebuild needs.
        active: the release in force, if any.
        kept: tasks of which all stays as in that.

    Raises:
        LabelMismatch: the bundle was trained for other labels.
        DatasetError: the bundle has no out-of-fold answer for any example.
        InvalidDomain: what is kept does not fit the pack.
    """
    answered = (
        set() if bundle is None else {(each.example_id, each.task) for each in bundle.out_of_fold()}
    )
    release = build_release(
        domain,
        sources,
        bundle=bundle,
        labelled=[each for each in learn if (each.example_id, each.question.task) in answered],
        settings=settings,
        kept=weights_kept(active, bundle),
    )
    release = replace(release, examples_digest=examples_digest(learn))
    return release if active is None else keep(release, active, kept)


def admit(
    domain: Domain,
    release: Release,
    split: Split,
    *,
    active: Release | None,
    classifier: Classifier | None,
    gate: GateSettings,
) -> Candidate:
    """Let the gate look at a candidate: by the admission split alone.

    Raises:
        ReleaseRefused: it is for another domain or other labels.
    """
    content = canonical_bytes(release)
    new, old = _laid_out(release, domain), None if active is None else _laid_out(active, domain)
    said = None if classifier is None else _asked(classifier, split.admission)
    compared = compare(
        split.admission,
        candidate=new,
        active=old,
        bundle=None if classifier is None else classifier.digest,
        probabilities=said,
    )
    rules = sum(len(task.rules) for task in release.tasks.values())
    size = ReleaseSize(rules=rules, bytes=len(content))
    report = judge_candidate(
        compared,
        size=size,
        settings=gate,
        active_learned=active is not None and may_have_learned(active),
    )
    bundle = None if classifier is None else classifier.bundle
    return Candidate(content=content, report=report, notes=not_fitted(domain, release, bundle))


def _laid_out(release: Release, domain: Domain) -> ActiveRelease:
    return ActiveRelease.of(release, digest=digest(canonical_bytes(release)), domain=domain)


def _asked(classifier: Classifier, questions: Sequence[LabelledQuestion]) -> list[Probabilities]:
    def ask(question: ModelInput) -> LabelScores:
        (scores,) = classifier.score_batch([question])
        return scores

    return held_out_probabilities(classifier.bundle, ask, questions)


def in_words(report: GateReport) -> tuple[str, ...]:
    """What the gate found, a sentence a check: what failed first."""
    ordered = sorted(report.checks, key=lambda check: check.passed)
    return tuple(
        f"{'passed' if check.passed else 'FAILED'}: {check.name}: {check.said}" for check in ordered
    )
