"""`kdsl tag`: the whole decision on a file, without Kafka."""

import asyncio
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.box import HEAVY_HEAD
from rich.table import Column

from rule_store import canonical_bytes, digest
from streams.activations import open_release
from streams.active_release import ActiveRelease
from streams.building import build_release, pack_rules
from streams.cli.choices import one_view
from streams.cli.options import (
    BundleOption,
    DomainName,
    Json,
    ReadingsOption,
    SourceViewOption,
    Threads,
)
from streams.cli.readings import choose_readings
from streams.cli.release_options import RegistryOption, find_anywhere, trusted
from streams.cli.tables import number_column, print_table
from streams.cli.terminal import put_json, say, say_notes
from streams.codec import tag_fields
from streams.datasets import View, read_examples
from streams.domain import Domain, load_domain
from streams.evaluation import weighted_f1
from streams.events import Tag
from streams.model_side import ModelSide
from streams.role import system_now_ms
from streams.settings import Settings, load_settings
from streams.tagging import tag_examples

# What `--json` prints of a tag: the answer and what decided it, not when.
_JSON_FIELDS = (
    "tag_id",
    "event_id",
    "dialogue_id",
    "task",
    "image_id",
    "label",
    "confidence",
    "source",
    "degraded",
    "candidates",
    "rules",
    "reason",
    "release",
    "bundle",
)


def tag(
    source: Annotated[
        Path, typer.Argument(metavar="FILE|DATASET", help="A .jsonl, a folder, or - for stdin.")
    ],
    domain: DomainName = None,
    release: Annotated[
        str | None,
        typer.Option(
            metavar="DIGEST|FILE",
            help="A release of the registry or a file; without one, built from the pack.",
        ),
    ] = None,
    trust: Annotated[
        Path | None,
        typer.Option(
            metavar="PATH",
            help="Refuse a --release that none of these keys signed. (env: KDSL_TRUST; "
            "default: none)",
        ),
    ] = None,
    registry: RegistryOption = None,
    bundle: BundleOption = None,
    view: SourceViewOption = None,
    readings: ReadingsOption = None,
    threads: Threads = None,
    no_early_answer: Annotated[
        bool, typer.Option("--no-early-answer", help="Every question goes to the resolver's stage.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Tag dialogues from a file as the workers would; with labels, say how good the tags are.

    Without --bundle only the rules answer: where they disagree, their votes decide.
    """
    given = {"domain": domain, "bundle": bundle, "threads": threads, "trust": trust}
    settings = load_settings({**given, "registry": registry})
    settings = replace(settings, readings=choose_readings(readings, [source], settings))
    pack = load_domain(settings.domain)
    active = _active(release, settings, pack)
    chosen = one_view(view, default="recorded" if source.is_dir() else "live")
    refused = asyncio.run(
        _tag_all(source, chosen, settings, pack, active, not no_early_answer, as_json)
    )
    if refused:
        raise typer.Exit(1)


def _active(name: str | None, settings: Settings, domain: Domain) -> ActiveRelease:
    if name is None:
        built = build_release(domain, pack_rules(domain))
        return ActiveRelease.of(built, digest=digest(canonical_bytes(built)), domain=domain)
    named = find_anywhere(name, settings)
    opened = open_release(named.signed, trust=trusted(settings))
    return ActiveRelease.of(opened, digest=named.digest, domain=domain)


async def _tag_all(
    source: Path,
    view: View,
    settings: Settings,
    domain: Domain,
    active: ActiveRelease,
    early_answer: bool,
    as_json: bool,
) -> int:
    """Tag everything, print as it comes; how many examples were refused."""
    refused = silent = 0
    score = _Score()
    rows: list[tuple[str, ...]] = []
    examples = map(
        say_notes, read_examples(source, domain=domain.name, view=view, now_ms=system_now_ms())
    )
    async with ModelSide(settings, domain) as side:
        pipeline = side.pipeline(active, early_answer=early_answer)
        async for tagged in tag_examples(examples, pipeline):
            if tagged.refusal is not None:
                refused += 1
                say(f"{tagged.example.place}: {tagged.refusal.reason}: {tagged.refusal.detail}")
            elif not tagged.tags:
                silent += 1
            for each in tagged.tags:
                score.add(each, tagged.example.label)
                if as_json:
                    fields = tag_fields(each)
                    put_json({name: fields[name] for name in _JSON_FIELDS})
                else:
                    rows.append(_row(each))
    if rows:
        _print(rows)
    if side.model is not None and score.seen:
        learned = {each.example_id for each in side.model.bundle.out_of_fold()}
        if known := len(learned & score.seen):
            say(
                f"{known} of these {len(score.seen)} examples were in the bundle's training: "
                "the figures flatter it"
            )
    if silent:
        say(f"{silent} dialogues ask nothing: their latest turn is the agent's, without an image")
    score.say(view, settings)
    return refused


def _print(rows: Sequence[tuple[str, ...]]) -> None:
    columns = (
        *map(Column, ("dialogue", "task", "image", "label")),
        number_column("confidence"),
        Column("source"),
        Column("reason"),
    )
    print_table(columns, rows, under={"image": "dialogue", "source": "confidence"}, box=HEAVY_HEAD)


def _row(tag: Tag) -> tuple[str, ...]:
    return (
        tag.dialogue_id,
        tag.task,
        tag.image_id or "",
        tag.label or "—",
        f"{tag.confidence:.2f}",
        tag.source,
        tag.reason or "",
    )


class _Score:
    """Right labels and answers by task; of tags that no label judges, whether they answer."""

    def __init__(self) -> None:
        self._right: dict[str, list[str]] = defaultdict(list)
        self._answers: dict[str, list[str | None]] = defaultdict(list)
        self._unjudged: dict[str, list[bool]] = defaultdict(list)
        self.seen: set[str] = set()

    def add(self, tag: Tag, label: str | None) -> None:
        if label is None:
            self._unjudged[tag.task].append(tag.label is not None)
            return
        self.seen.add(tag.event_id)
        self._right[tag.task].append(label)
        self._answers[tag.task].append(tag.label)

    def say(self, view: View, settings: Settings) -> None:
        for task, right in self._right.items():
            answers: list[Any] = self._answers[task]
            answered = sum(answer is not None for answer in answers)
            say(
                f"{task}: weighted F1 {weighted_f1(right, answers):.3f}, {answered} of "
                f"{len(right)} answered ({view} view, {settings.readings} readings)"
            )
        for task, answers_it in self._unjudged.items():
            say(f"{task}: {sum(answers_it)} of {len(answers_it)} without a label answered")
