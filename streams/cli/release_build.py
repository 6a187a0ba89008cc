"""`kdsl release build`: rules and what is known of them become one release."""

from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from inference.bundle import load_bundle
from rule_store import Release, Signed, canonical_bytes, load_key, sign, signed_to_bytes
from rule_store import digest as digest_of
from streams.building import F1_GIVEN_UP, build_release, folder_rules, pack_rules
from streams.cli.choices import one_view
from streams.cli.labelled import read_questions
from streams.cli.options import BundleOption, DomainName, ReadingsOption, ViewOption
from streams.cli.readings import choose_readings
from streams.cli.release_options import ByOption, KeyOption, RegistryOption, open_registry, who
from streams.cli.release_tables import print_tasks
from streams.cli.terminal import say
from streams.domain import load_domain
from streams.errors import InvalidSettings
from streams.labelled import LabelledQuestion
from streams.role import system_now_ms
from streams.settings import Settings, load_settings


def build(
    out: Annotated[Path | None, typer.Option(help="Also write the release to this file.")] = None,
    domain: DomainName = None,
    rules: Annotated[
        Path | None,
        typer.Option(help="Folder of <task>.rules that replace the pack's, as mined or written."),
    ] = None,
    bundle: BundleOption = None,
    examples: Annotated[
        list[Path] | None,
        typer.Option(help="What the bundle was trained with: λ and thresholds are fitted on it."),
    ] = None,
    view: ViewOption = None,
    readings: ReadingsOption = None,
    key: KeyOption = None,
    note: Annotated[
        str | None, typer.Option(help="What others should know of it; kept in the registry.")
    ] = None,
    by: ByOption = None,
    registry: RegistryOption = None,
) -> None:
    """Put rules, lexicon, reliabilities and weights together into one release of the registry.

    With --bundle and --examples λ and the thresholds are fitted on the bundle's out-of-fold
    answers; without, they are documented defaults. Same input, same digest.
    """
    settings = load_settings({"domain": domain, "bundle": bundle, "registry": registry})
    # Before the work, so that what is amiss with them is said at once.
    signer, builder = load_key(key) if key else None, who(by)
    open_registry(settings).close()
    release = _build(settings, rules, examples or [], view, readings)
    content = canonical_bytes(release)
    unsigned = Signed(content=content, signatures=())
    signed = sign(content, signer, "release") if signer else unsigned
    _keep(signed, release, settings, by=builder, note=note)
    places = "the registry"
    if out is not None:
        out.parent.mkdir(parents=True, exist_ok=True)
        out.write_bytes(signed_to_bytes(signed))
        places = f"the registry and {out}"
    say(f"release {digest_of(content)} in {places}{'' if key else ' (unsigned)'}")
    print_tasks(release)


def _build(
    settings: Settings,
    rules: Path | None,
    examples: list[Path],
    view: str | None,
    readings: str | None,
) -> Release:
    pack = load_domain(settings.domain)
    sources = pack_rules(pack) | (folder_rules(rules, pack) if rules else {})
    if settings.bundle is None and not examples:
        return build_release(pack, sources)
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
        settings={"view": seen, "readings": chosen, "f1_given_up": F1_GIVEN_UP},
    )


def _keep(
    signed: Signed, release: Release, settings: Settings, *, by: str, note: str | None
) -> None:
    """Put it into the registry, as the child of the release in force."""
    with open_registry(settings) as registry:
        active = registry.active(release.domain, release.labels_digest)
        parent = active.digest if active else None
        if parent == digest_of(signed.content):
            parent = None
        registry.add_release(
            signed,
            by=by,
            at_ms=system_now_ms(),
            parent=parent,
            note=note,
            verified=[each.key_id for each in signed.signatures],  # made just now
        )
