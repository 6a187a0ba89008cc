"""Runs `kdsl refresh` as it was typed: alone, written down, and able to be stopped."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from rule_store import load_key
from streams.cli.refresh_inputs import (
    RefreshOptions,
    classifier_of,
    gate_of,
    miner_of,
    read_labelled_for,
)
from streams.cli.release_options import open_registry, trusted
from streams.cli.terminal import say
from streams.domain import Domain
from streams.errors import FolderInUse
from streams.folder_lock import FolderLock
from streams.role import system_now_ms
from streams.settings import Settings

if TYPE_CHECKING:  # see `open_registry`; mining brings numpy, which other commands do without
    from rule_store.registry import RefreshRow, Registry
    from streams.refresh_run import RefreshJob
    from streams.refresh_trail import RefreshTrail

ANOTHER_RUNS = 4
STOPPED = 130


@dataclass(frozen=True, slots=True, kw_only=True)
class RefreshCommand:
    """A refresh as it was typed.

    out: where it works, if somebody said so.
    """

    settings: Settings
    options: RefreshOptions
    pack: Domain
    out: Path | None
    change_bundle: bool
    stage: bool
    key: Path | None
    new_key: bool
    by: str

    @property
    def folder(self) -> Path:
        """Where it works."""
        return self.out or refresh_home(self.settings, self.pack)

    def job(self) -> RefreshJob:
        """Read model, key and trust store."""
        from streams.refresh_run import RefreshJob

        return RefreshJob(
            domain=self.pack,
            classifier=classifier_of(self.settings),
            folder=self.folder,
            forget_old=self.out is None,
            settings=self.options.settings,
            gate=gate_of(self.options),
            change_bundle=self.change_bundle,
            stage=self.stage,
            key=load_key(self.key) if self.key else None,
            trust=trusted(self.settings),
            new_key=self.new_key,
            by=self.by,
            at_ms=system_now_ms(),
            version=", ".join(f"{name} {metadata.version(name)}" for name in ("kdsl", "numpy")),
        )


def refresh_home(settings: Settings, pack: Domain) -> Path:
    from rule_store.registry import default_registry_path
    from streams.refresh_folder import refresh_folder

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


def refreshed(command: RefreshCommand) -> RefreshRow:
    """Run it alone, and write down what came of it."""
    from streams.refresh_trail import written_down

    settings, pack = command.settings, command.pack
    try:
        with (
            _alone(refresh_home(settings, pack), pack),
            open_registry(settings) as registry,
            written_down(registry, pack.name, by=command.by, now_ms=system_now_ms) as trail,
        ):
            return _run(registry, command, trail)
    except KeyboardInterrupt:
        say(
            f"stopped; what was mined is kept in {command.folder}: run the same command again to "
            "go on, and see `kdsl release history` for what is in force"
        )
        raise typer.Exit(STOPPED) from None


def _run(registry: Registry, command: RefreshCommand, trail: RefreshTrail) -> RefreshRow:
    from streams.publishing import KafkaReleaseTopic
    from streams.refresh_run import run

    settings, options, job = command.settings, command.options, command.job()
    return run(
        registry,
        KafkaReleaseTopic(settings.cluster, prefix=settings.prefix),
        job,
        labelled=read_labelled_for(registry, settings, options, job.domain),
        mine=miner_of(settings, options, job.domain),
        trail=trail,
    )
