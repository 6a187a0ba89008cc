"""`kdsl tag`: the whole decision on a file, without Kafka."""

import asyncio
from collections import defaultdict
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Table

from rule_store import InvalidEnvelope, TrustStore, canonical_bytes, digest, signed_from_bytes
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
from streams.cli.terminal import printable, put_json, say, say_notes, stdout
from streams.codec import tag_fields
from streams.datasets import View, read_examples
from streams.domain import Domain, load_domain
from streams.errors import ReleaseRefused
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
        Path | None, typer.Option(help="A release file; without one, built from the pack.")
    ] = None,
    trust: Annotated[
        Path | None,
        typer.Option(
            help="Refuse a --release that none of these keys signed. (env: KDSL_TRUST; "
            "default: none)"
        ),
    ] = None,
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

    Without --bundle only the rules answer and the rest is abstained.
    """
    given = {"domain": domain, "bundle": bundle, "threads": threads, "trust": trust}
    settings = load_settings(given)
    settings = replace(settings, readings=choose_readings(readings, [source], settings))
    pack = load_domain(settings.domain)
    active = _active(release, settings.trust, pack)
    chosen = one_view(view, default="recorded" if source.is_dir() else "live")
    refused = asyncio.run(
        _tag_all(source, chosen, settings, pack, active, not no_early_answer, as_json)
    )
    if refused:
        raise typer.Exit(1)


def _active(path: Path | None, trust: Path | None, domain: Domain) -> ActiveRelease:
    if path is None:
        built = build_release(domain, pack_rules(domain))
        return ActiveRelease.of(built, digest=digest(canonical_bytes(built)), domain=domain)
    try:
        signed = signed_from_bytes(path.read_bytes())
    except OSError as error:
        raise ReleaseRefused(f"{path} cannot be read: {error.strerror}") from error
    except InvalidEnvelope as error:
        raise ReleaseRefused(f"{path} is no release file: {error}") from error
    opened = open_release(signed, trust=TrustStore.load(trust) if trust else None)
    return ActiveRelease.of(opened, digest=digest(signed.content), domain=domain)


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
    table = _table()
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
                    table.add_row(*_row(each))
    if not as_json:
        stdout().print(table)
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


def _table() -> Table:
    return Table("dialogue", "task", "image", "label", "confidence", "source", "reason")


def _row(tag: Tag) -> tuple[str, ...]:
    return (
        printable(tag.dialogue_id),
        tag.task,
        printable(tag.image_id or ""),
        tag.label or "—",
        f"{tag.confidence:.2f}",
        tag.source,
        tag.reason or "",
    )


class _Score:
    """Right labels and answers by task, for datasets that have labels."""

    def __init__(self) -> None:
        self._right: dict[str, list[str]] = defaultdict(list)
        self._answers: dict[str, list[str | None]] = defaultdict(list)
        self.seen: set[str] = set()

    def add(self, tag: Tag, label: str | None) -> None:
        if label is not None:
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
