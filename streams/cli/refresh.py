"""`kdsl refresh`: labelled examples become the release in force, if the gate lets them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, assert_never

import typer

from streams.brief import brief
from streams.cli.choices import one_view
from streams.cli.options import (
    Bootstrap,
    BundleOption,
    DomainName,
    Prefix,
    ReadingsOption,
    ViewOption,
)
from streams.cli.readings import choose_readings
from streams.cli.refresh_command import RefreshCommand, refreshed
from streams.cli.refresh_inputs import RefreshOptions
from streams.cli.release_activate import AllowUnsigned, NewKey
from streams.cli.release_options import (
    ByOption,
    KeyOption,
    RegistryOption,
    TrustOption,
    who,
)
from streams.cli.terminal import say, stoppable
from streams.domain import load_domain
from streams.errors import InvalidSettings
from streams.settings import load_settings

if TYPE_CHECKING:  # see `open_registry`
    from rule_store.registry import RefreshRow

REFUSED = 3


def refresh(
    domain: DomainName = None,
    examples: Annotated[
        list[Path] | None,
        typer.Option(
            metavar="PATH",
            help="Labelled dialogues beside those of the registry: a .jsonl or a folder; may be "
            "repeated.",
        ),
    ] = None,
    bundle: BundleOption = None,
    change_bundle: Annotated[
        bool,
        typer.Option(
            "--change-bundle",
            help="Go on although the release in force was fitted with another bundle than "
            "--bundle, or with one where none is given.",
        ),
    ] = False,
    stage: Annotated[
        bool, typer.Option("--stage", help="Stop before activating, and say how to go on.")
    ] = False,
    out: Annotated[
        Path | None,
        typer.Option(
            metavar="FOLDER",
            help="Where mined rules and their summary go, a folder for each run, none of which is "
            "removed. (default: beside the registry's file, the five newest)",
        ),
    ] = None,
    view: ViewOption = None,
    readings: ReadingsOption = None,
    seed: Annotated[int, typer.Option(min=0, help="Of all that is random.")] = 0,
    iterations: Annotated[
        int, typer.Option(min=1, max=100_000, help="Bodies expanded for a rule, at most.")
    ] = 40,
    budget: Annotated[
        float | None,
        typer.Option(
            min=1.0,
            metavar="SECONDS",
            help="Most time for mining; with it, the same examples may give another release.",
        ),
    ] = None,
    margin: Annotated[
        float,
        typer.Option(
            min=0.0, max=1.0, help="Weighted F1 that a task may lose at worst, for the gate."
        ),
    ] = 0.02,
    bootstrap: Bootstrap = None,
    prefix: Prefix = None,
    key: KeyOption = None,
    trust: TrustOption = None,
    allow_unsigned: AllowUnsigned = False,
    new_key: NewKey = False,
    by: ByOption = None,
    registry: RegistryOption = None,
) -> None:
    """Mine rules from labelled examples, and put the release in force if it is no worse.

    For a cron job: what is in force stays unless the gate lets the candidate pass.

    Exit 0: activated, or staged, or there is nothing to do.
    Exit 1: an error.
    Exit 3: the gate refused the candidate.
    Exit 4: another refresh of the domain runs.
    Exit 130: stopped; the same command goes on.

    Each run stands with its reasons in `kdsl release history --audit`.
    """
    stoppable()
    given = {"bootstrap": bootstrap, "prefix": prefix, "trust": trust, "registry": registry}
    settings = load_settings({**given, "domain": domain, "bundle": bundle})
    _check_signed(key, unsigned=allow_unsigned or stage)
    paths = tuple(examples or ())
    options = RefreshOptions(
        examples=paths,
        view=one_view(view, default="live"),
        readings=choose_readings(readings, paths, settings),
        seed=seed,
        iterations=iterations,
        budget_s=budget,
        margin=margin,
    )
    pack = load_domain(settings.domain)
    command = RefreshCommand(
        settings=settings,
        options=options,
        pack=pack,
        out=out,
        change_bundle=change_bundle,
        stage=stage,
        key=key,
        new_key=new_key,
        by=who(by),
    )
    _say_outcome(refreshed(command), command.folder)


def _check_signed(key: Path | None, *, unsigned: bool) -> None:
    if key is None and not unsigned:
        raise InvalidSettings(
            "sign with --key (make one with `kdsl keys generate`), or activate unsigned with "
            "--allow-unsigned, for workers that obey anybody, or stop before with --stage"
        )


def _say_outcome(row: RefreshRow, folder: Path) -> None:
    from streams.refresh_folder import candidate_file

    named = brief(row.release) if row.release else "none"
    for reason in row.reasons:
        say(reason)
    match row.outcome:
        case "activated":
            say(f"release {named} is active for {row.domain}: see `kdsl release status`")
        case "staged":
            look = f"diff {brief(row.active)} {named}" if row.active else f"show {named}"
            say(
                f"release {named} is in the registry: look at it with `kdsl release {look}`; "
                f"`kdsl release sign {named} --key KEY` signs it if it was staged without a key, "
                f"`kdsl release activate {named} --key KEY` puts it in force"
            )
        case "unchanged":
            say(f"nothing to do for {row.domain}")
        case "refused":
            stays = f"{brief(row.active)} stays" if row.active else "nothing is"
            what = "to judge by so few examples"
            if row.release is not None:
                what = f"release {named} ({candidate_file(folder, row.inputs)})"
            say(f"the gate refused {what}: {stays} in force for {row.domain}")
            raise typer.Exit(REFUSED)
        case "activating" | "failed" | "interrupted":
            raise RuntimeError("a run that does not end raises")
        case _:
            assert_never(row.outcome)
