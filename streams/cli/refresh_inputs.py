"""What `kdsl refresh` learns from, and how: examples, miner, model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from streams.cli.labelled import read_learnable_questions, say_empty
from streams.cli.mining_progress import MiningProgress
from streams.cli.release_faults import packed_files, refuse_faults, rule_faults
from streams.cli.terminal import say, stderr
from streams.datasets import View
from streams.domain import Domain
from streams.errors import DatasetError
from streams.labelled import LabelledQuestion
from streams.settings import Readings, Settings

if TYPE_CHECKING:  # see `open_registry`; mining brings numpy, which other commands do without
    from inference.classifier import Classifier
    from rule_store.mining.gate import GateSettings
    from rule_store.registry import Registry
    from streams.refresh_run import Mine


@dataclass(frozen=True, slots=True, kw_only=True)
class RefreshOptions:
    """The options that decide what is mined, and what the gate asks for.

    readings: which are used, as `choose_readings` found.
    """

    examples: tuple[Path, ...]
    view: View
    readings: Readings
    seed: int
    iterations: int
    budget_s: float | None
    margin: float

    @property
    def settings(self) -> dict[str, str | int | float]:
        """As the release keeps them."""
        told: dict[str, str | int | float] = {
            "view": self.view,
            "readings": self.readings,
            "seed": self.seed,
            "iterations": self.iterations,
            "hold_out": "admission",
        }
        return told if self.budget_s is None else {**told, "budget_s": self.budget_s}


def read_labelled_for(
    registry: Registry, settings: Settings, options: RefreshOptions, pack: Domain
) -> list[LabelledQuestion]:
    """The examples of files and registry; what is left out is said."""
    from streams.refresh_examples import as_dataset, choose_stored

    reading = replace(settings, readings=options.readings, bundle=None)
    say_empty(options.examples)
    given = read_learnable_questions(options.examples, options.view, reading, pack)
    stored = choose_stored(registry.examples(pack.name), given, pack)
    for note in stored.notes:
        say(note)
    found = [each for each in given if each.example_id not in stored.contradicted]
    with as_dataset(stored.lines) as file:
        found += read_learnable_questions([file], options.view, reading, pack)
    if not found:
        raise DatasetError(
            f"no labelled example of {pack.name}, neither in {registry.place} nor in --examples: "
            "add some with `kdsl examples add`, name others with --examples, or check --domain"
        )
    return found


def miner_of(settings: Settings, options: RefreshOptions, pack: Domain) -> Mine:
    """Mines as `kdsl rules mine` does, and refuses rules that `kdsl release build` would refuse."""
    facts = {"domain": pack.name, **{name: str(value) for name, value in options.settings.items()}}

    def mine(questions: Sequence[LabelledQuestion], folder: Path) -> None:
        _mine(questions, folder, options, pack, facts)
        faults = list(rule_faults(packed_files(settings.domain, folder, pack), pack))
        refuse_faults(faults, domain=settings.domain)

    return mine


def _mine(
    questions: Sequence[LabelledQuestion],
    folder: Path,
    options: RefreshOptions,
    pack: Domain,
    facts: Mapping[str, str],
) -> None:
    from rule_store.mining.miner_settings import MinerSettings
    from streams.mining_run import run_mining
    from streams.rule_mining import MiningSettings, examples_by_task

    how = MiningSettings(
        miner=MinerSettings(seed=options.seed, iterations=options.iterations),
        budget_s=options.budget_s,
    )
    given = examples_by_task(questions, pack)
    with MiningProgress(stderr()) as shown:
        run_mining(folder, given, pack, how, facts, told=say, watcher=shown)


def gate_of(options: RefreshOptions) -> GateSettings:
    from rule_store.mining.gate import GateSettings

    return GateSettings(margin=options.margin, seed=options.seed)


def classifier_of(settings: Settings) -> Classifier | None:
    if settings.bundle is None:
        return None
    from inference.classifier import Classifier

    return Classifier.open(settings.bundle, threads=settings.threads)
