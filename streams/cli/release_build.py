"""`kdsl release build`: rules and what is known of them become one release."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from inference.bundle import load_bundle
from rule_store import Release, Signed, canonical_bytes, load_key, sign, signed_to_bytes
from rule_store import digest as digest_of
from streams.building import F1_GIVEN_UP, RuleSource, build_release, folder_rules, pack_rules
from streams.cli.choices import one_view
from streams.cli.labelled import read_questions
from streams.cli.options import BundleOption, DomainName, ReadingsOption, ViewOption
from streams.cli.readings import choose_readings
from streams.cli.release_faults import how_many, packed_files, refuse_faults, rule_faults
from streams.cli.release_options import ByOption, KeyOption, RegistryOption, open_registry, who
from streams.cli.release_tables import print_tasks
from streams.cli.terminal import printable, say, stdout
from streams.domain import Domain, load_domain
from streams.errors import InvalidSettings
from streams.hold_out import hold_out_in
from streams.labelled import LabelledQuestion
from streams.role import system_now_ms
from streams.settings import Settings, load_settings


def build(
    out: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Also write the release to this file.")
    ] = None,
    domain: DomainName = None,
    rules: Annotated[
        Path | None,
        typer.Option(
            metavar="FOLDER",
            help="Folder of <task>.rules that replace the pack's, as mined or written.",
        ),
    ] = None,
    bundle: BundleOption = None,
    examples: Annotated[
        list[Path] | None,
        typer.Option(
            metavar="PATH",
            help="What the bundle was trained with: λ and thresholds are fitted on it; may be "
            "repeated.",
        ),
    ] = None,
    view: ViewOption = None,
    readings: ReadingsOption = None,
    key: KeyOption = None,
    note: Annotated[
        str | None,
        typer.Option(metavar="TEXT", help="What others should know of it; kept in the registry."),
    ] = None,
    allow_faults: Annotated[
        bool,
        typer.Option(
            "--allow-faults", help="Take rules with lint errors or failing examples, and say so."
        ),
    ] = False,
    by: ByOption = None,
    registry: RegistryOption = None,
) -> None:
    """Put rules, lexicon, reliabilities and weights together into one release of the registry.

    With --bundle and --examples λ and thresholds are fitted on the bundle's out-of-fold answers.
    Without, they are documented defaults. Same input, same digest.

    Exit 1 when `kdsl rules lint` finds errors in the rules, or an example of theirs fails.
    """
    settings = load_settings({"domain": domain, "bundle": bundle, "registry": registry})
    # Before the work, so that what is amiss with them is said at once.
    signer, builder = load_key(key) if key else None, who(by)
    open_registry(settings).close()
    pack = load_domain(settings.domain)
    sources = pack_rules(pack) | (folder_rules(rules, pack) if rules else {})
    _look_through(settings, rules, pack, allow_faults=allow_faults)
    told = hold_out_in(rules) if rules else {}
    release = _build(settings, pack, sources, examples or [], view, readings, told)
    content = canonical_bytes(release)
    unsigned = Signed(content=content, signatures=())
    signed = sign(content, signer, "release") if signer else unsigned
    signers = {"the registry": _keep(signed, release, settings, by=builder, note=note)}
    if out is not None:
        out.parent.mkdir(parents=True, exist_ok=True)
        out.write_bytes(signed_to_bytes(signed))
        signers[str(out)] = tuple(each.key_id for each in signed.signatures)
    # The digest is what a script goes on with.
    told_where = f"release {digest_of(content)} in {_places(signers)}"
    stdout().print(printable(told_where), soft_wrap=True)
    print_tasks(release)


def _look_through(
    settings: Settings, rules: Path | None, pack: Domain, *, allow_faults: bool
) -> None:
    faults = list(rule_faults(packed_files(settings.domain, rules, pack), pack))
    if not allow_faults:
        refuse_faults(faults, domain=settings.domain)
    elif faults:
        say(f"warning: these rules have {how_many(faults)}, and go into the release all the same")


def _places(signers: Mapping[str, Sequence[str]]) -> str:
    """Where a release is, and who signed it there.

    >>> _places({"the registry": ["4d27"], "a.release": []})
    'the registry (signed by 4d27) and a.release (unsigned)'
    """
    told = {
        place: f"(signed by {', '.join(ids)})" if ids else "(unsigned)"
        for place, ids in signers.items()
    }
    if len(set(told.values())) == 1:
        return f"{' and '.join(told)} {next(iter(told.values()))}"
    return " and ".join(f"{place} {ids}" for place, ids in told.items())


def _build(
    settings: Settings,
    pack: Domain,
    sources: Mapping[str, RuleSource],
    examples: list[Path],
    view: str | None,
    readings: str | None,
    told: Mapping[str, str],
) -> Release:
    if settings.bundle is None and not examples:
        return build_release(pack, sources, settings=told)
    if settings.bundle is None or not examples:
        raise InvalidSettings("fitting needs both: give --bundle and --examples, or neither")
    chosen = choose_readings(readings, examples, settings)
    seen = one_view(view, default="live")
    reading = replace(settings, readings=chosen, bundle=None)
    labelled: list[LabelledQuestion] = read_questions(examples, seen, reading, pack)
    return build_release(
        pack,
        sources,
        bundle=load_bundle(settings.bundle),
        labelled=labelled,
        settings={"view": seen, "readings": chosen, "f1_given_up": F1_GIVEN_UP, **told},
    )


def _keep(
    signed: Signed, release: Release, settings: Settings, *, by: str, note: str | None
) -> Sequence[str]:
    """Put it into the registry, as the child of the release in force; who has signed it there."""
    with open_registry(settings) as registry:
        active = registry.active(release.domain, release.labels_digest)
        parent = active.digest if active else None
        if parent == digest_of(signed.content):
            parent = None
        row = registry.add_release(
            signed,
            by=by,
            at_ms=system_now_ms(),
            parent=parent,
            note=note,
            verified=[each.key_id for each in signed.signatures],  # made just now
        )
    return row.signed_by
