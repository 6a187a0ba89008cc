"""A verified release, laid out for deciding: one immutable object that is swapped whole."""

from collections.abc import Mapping
from dataclasses import dataclass

from rule_store import CompiledRules, Lexicon, Release, RuleSet
from streams.domain import Domain
from streams.errors import ReleaseRefused


@dataclass(frozen=True, slots=True, kw_only=True)
class ActiveTask:
    """One task of the release in force.

    rules: compiled.
    reliability: rule id → value in [0, 1].
    answer_at: reliability at which rules answer alone.
    fuse_at: confidence below which a fused answer is an abstention.
    vote_weight: λ ≥ 0 of `log p + λ Σ log-odds`.
    fitted: False when the three numbers are documented defaults.
    """

    rules: CompiledRules
    labels: tuple[str, ...]
    reliability: Mapping[str, float]
    answer_at: float
    fuse_at: float
    vote_weight: float
    fitted: bool

    @property
    def rule_set(self) -> RuleSet:
        return self.rules.rule_set


@dataclass(frozen=True, slots=True, kw_only=True)
class ActiveRelease:
    """The release in force: what decides, and the digest that names it."""

    digest: str
    bundle: str | None
    lexicon: Lexicon
    tasks: Mapping[str, ActiveTask]

    @classmethod
    def of(cls, release: Release, *, digest: str, domain: Domain) -> "ActiveRelease":
        """Lay a release out for deciding.

        Raises:
            ReleaseRefused: the release is for another domain or for other labels.
        """
        if release.domain != domain.name:
            raise ReleaseRefused(
                f"release {digest} is for domain {release.domain!r}, this worker serves "
                f"{domain.name!r}: build one with `kdsl release build --domain {domain.name}`"
            )
        if release.labels_digest != domain.labels_digest:
            raise ReleaseRefused(
                f"release {digest} was built for other labels than those of the pack "
                f"{domain.name!r}: build it again with `kdsl release build`"
            )
        tasks = {
            name: ActiveTask(
                rules=CompiledRules.of(RuleSet(task=name, rules=task.rules), release.lexicon),
                labels=task.labels,
                reliability={rule: known.value for rule, known in task.reliability.items()},
                answer_at=task.answer_at,
                fuse_at=task.fuse_at,
                vote_weight=task.vote_weight,
                fitted=not task.defaults,
            )
            for name, task in release.tasks.items()
        }
        return cls(digest=digest, bundle=release.bundle, lexicon=release.lexicon, tasks=tasks)
