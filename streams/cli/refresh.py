"""`kdsl refresh`: labelled examples become the release in force, if the gate lets them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, assert_never

import typer

from rule_store import load_key
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
from streams.cli.refresh_inputs import (
    Wish,
    classifier_of,
    gate_of,
    miner_of,
    read_labelled_for,
)
from streams.cli.release_activate import AllowUnsigned, NewKey
from streams.cli.release_options import (
    ByOption,
    KeyOption,
    RegistryOption,
    TrustOption,
    open_registry,
    trusted,
    who,
)
from streams.cli.terminal import say
from streams.domain import Domain, load_domain
from streams.errors import FolderInUse, InvalidSettings
from streams.folder_lock import FolderLock
from streams.role import system_now_ms
from streams.settings import Settings, load_settings

if TYPE_CHECKING:  # see `open_registry`; mining brings numpy, which other commands do without
    from rule_store.registry import RefreshRow, Registry
    from streams.refresh_run import RefreshJob

REFUSED = 3
ANOTHER_RUNS = 4


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
    stage: Annotated[
        bool, typer.Option("--stage", help="Stop before activating, and say how to go on.")
    ] = False,
    out: Annotated[
        Path | None,
        typer.Option(
            metavar="FOLDER",
            help="Where mined rules and their summary go. (default: beside the registry's file)",
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

    Each run stands with its reasons in `kdsl release history --audit`.
    """
    given = {"bootstrap": bootstrap, "prefix": prefix, "trust": trust, "registry": registry}
    settings = load_settings({**given, "domain": domain, "bundle": bundle})
    if key is None and not (allow_unsigned or stage):
        raise InvalidSettings(
            "sign with --key (make one with `kdsl keys generate`), or activate unsigned with "
            "--allow-unsigned, for workers that obey anybody, or stop before with --stage"
        )
    paths = tuple(examples or ())
    wish = Wish(
        examples=paths,
        view=one_view(view, default="live"),
        readings=choose_readings(readings, paths, settings),
        seed=seed,
        iterations=iterations,
        budget_s=budget,
        margin=margin,
    )
    pack, person = load_domain(settings.domain), who(by)
    home = _home(settings, pack)

    def job() -> RefreshJob:
        from streams.refresh_run import RefreshJob

        return RefreshJob(
            domain=pack,
            classifier=classifier_of(settings),
            folder=out or home,
            settings=wish.settings,
            gate=gate_of(wish),
            stage=stage,
            key=load_key(key) if key else None,
            trust=trusted(settings),
            new_key=new_key,
            by=person,
            at_ms=system_now_ms(),
            version=", ".join(f"{name} {metadata.version(name)}" for name in ("kdsl", "numpy")),
        )

    with _alone(home, pack), open_registry(settings) as opened:
        row = _noted(opened, pack, person, lambda: _run(opened, settings, wish, job()))
    _say_outcome(row, out or home)


def _home(settings: Settings, pack: Domain) -> Path:
    from rule_store.registry import default_registry_path
    from streams.refresh_run import refresh_folder

    return refresh_folder(settings.registry or default_registry_path(), pack.name)


@contextmanager
def _alone(home: Path, pack: Domain) -> Iterator[None]:
    """Hold the lock of the registry's domain; who comes second leaves with its own exit status."""
    lock = FolderLock(
        home, holder=f"refresh of {pack.name}", cure="it does this one's work; wait for its end"
    )
    try:
        lock.acquire()
    except FolderInUse as error:
        say(f"kdsl: {error}")
        raise typer.Exit(ANOTHER_RUNS) from error
    try:
        yield
    finally:
        lock.release()


def _noted(registry: Registry, pack: Domain, by: str, run: Callable[[], RefreshRow]) -> RefreshRow:
    """Write down what came of a run, also when it failed."""
    from rule_store.registry import RefreshRow

    try:
        row = run()
    except Exception as error:  # whatever it is, the run is to be found in the trail
        reasons = (str(error) or repr(error),)
        failed = RefreshRow(domain=pack.name, outcome="failed", reasons=reasons)
        registry.note_refresh(failed, by=by, at_ms=system_now_ms())
        raise
    registry.note_refresh(row, by=by, at_ms=system_now_ms())
    return row


def _run(registry: Registry, settings: Settings, wish: Wish, job: RefreshJob) -> RefreshRow:
    from streams.publishing import KafkaReleaseTopic
    from streams.refresh_run import run

    return run(
        registry,
        KafkaReleaseTopic(settings.cluster, prefix=settings.prefix),
        job,
        labelled=read_labelled_for(registry, settings, wish, job.domain),
        mine=miner_of(settings, wish, job.domain),
    )


def _say_outcome(row: RefreshRow, folder: Path) -> None:
    from streams.refresh_run import candidate_file

    named = brief(row.release) if row.release else "none"
    for reason in row.reasons:
        say(reason)
    match row.outcome:
        case "activated":
            say(f"release {named} is active for {row.domain}: see `kdsl release status`")
        case "staged":
            look = f"diff {brief(row.active)} {named}" if row.active else f"show {named}"
            say(
                f"release {named} is in the registry: look at it with `kdsl release {look}`, then "
                f"run `kdsl release activate {named}`"
            )
        case "unchanged":
            say(f"nothing to do for {row.domain}")
        case "refused":
            stays = f"{brief(row.active)} stays" if row.active else "nothing is"
            say(
                f"the gate refused release {named} ({candidate_file(folder, row.inputs)}): "
                f"{stays} in force for {row.domain}"
            )
            raise typer.Exit(REFUSED)
        case "failed":
            raise RuntimeError("a run that fails raises")
        case _:
            assert_never(row.outcome)
