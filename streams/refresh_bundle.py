"""What a release in force was fitted to with a bundle, and what becomes of it."""

from inference.bundle import Bundle
from rule_store import Release
from streams.brief import brief
from streams.domain import Domain
from streams.errors import InvalidSettings
from streams.fusion import FusionWeights


def refuse_other_bundle(active: Release | None, bundle: Bundle | None, *, change: bool) -> None:
    """Raise when workers would lose λ and thresholds that were fitted with their model.

    The gate asks the model that it is given, or none, of both releases: it would not see that.

    Raises:
        InvalidSettings: the release in force was fitted with another bundle, or with one where
            none is given, and nobody said that this shall change.
    """
    fitted_with = None if active is None else active.bundle
    given = None if bundle is None else bundle.digest
    if change or fitted_with is None or fitted_with == given:
        return
    told = "none is given" if given is None else f"{brief(given)} is given"
    raise InvalidSettings(
        f"the release in force was fitted with bundle {brief(fitted_with)}, and {told}: name that "
        "bundle with --bundle, or say --change-bundle if the workers' model changes as well"
    )


def weights_kept(active: Release | None, bundle: Bundle | None) -> dict[str, FusionWeights]:
    """What the active release was fitted to with this bundle, by task."""
    if active is None or bundle is None or active.bundle != bundle.digest:
        return {}
    return {
        name: FusionWeights(
            answer_at=task.answer_at, fuse_at=task.fuse_at, vote_weight=task.vote_weight
        )
        for name, task in active.tasks.items()
        if not task.defaults
    }


def not_fitted(domain: Domain, release: Release, bundle: Bundle | None) -> tuple[str, ...]:
    """Of which tasks the bundle's model is weighed by the documented defaults, in a sentence."""
    tasks = [name for name in domain.tasks if release.tasks[name].defaults]
    if bundle is None or not tasks:
        return ()
    return (
        f"{' and '.join(tasks)}: no example with an out-of-fold answer of the bundle; λ and "
        "thresholds are the documented defaults",
    )
