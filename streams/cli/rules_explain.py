"""`kdsl rules explain`: why the rules answer a dialogue, or what they lack."""

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice
from pathlib import Path
from typing import Annotated

import typer
from rich.text import Text

from rule_store import (
    Answered,
    Place,
    RuleSet,
    canonical_bytes,
    digest,
    read_release,
    reading_order,
)
from streams.active_release import ActiveRelease
from streams.building import build_release, folder_rules, pack_rules
from streams.cli.choices import one_view
from streams.cli.explained import (
    explanation_fields,
    explanation_lines,
    verdict_fields,
    verdict_words,
)
from streams.cli.options import DomainName, Json, ReadingsOption, SourceViewOption
from streams.cli.readings import choose_readings
from streams.cli.release_options import RegistryOption, find_anywhere
from streams.cli.terminal import printable, put_json, say, say_notes, stdout
from streams.datasets import Example, read_examples
from streams.domain import Domain, load_domain, pack_folder
from streams.errors import DatasetError, InvalidRecord, InvalidSettings
from streams.explaining import ExplainedQuestion, explain_event
from streams.model_side import ModelSide
from streams.role import system_now_ms
from streams.rule_files import read_rules_files
from streams.settings import Settings, load_settings


@dataclass(frozen=True, slots=True, kw_only=True)
class _Rules:
    """What decides; where its source is at hand, the rules with their notes and places too."""

    release: ActiveRelease
    written: Mapping[str, RuleSet] | None = None
    places: Mapping[str, Place] = field(default_factory=dict)


def explain(
    source: Annotated[
        Path, typer.Argument(metavar="FILE|DATASET", help="A .jsonl, a folder, or - for stdin.")
    ],
    domain: DomainName = None,
    rules: Annotated[
        Path | None,
        typer.Option(
            metavar="FOLDER", help="Folder of <task>.rules that replace the pack's. (default: none)"
        ),
    ] = None,
    release: Annotated[
        str | None,
        typer.Option(
            metavar="DIGEST|FILE",
            help="A release of the registry or a file, whose rules are explained instead. "
            "(default: none)",
        ),
    ] = None,
    registry: RegistryOption = None,
    event: Annotated[
        str | None,
        typer.Option(metavar="ID", help="Only the dialogue of this event id. (default: all)"),
    ] = None,
    limit: Annotated[int, typer.Option(min=1, help="So many dialogues at most.")] = 10,
    view: SourceViewOption = None,
    readings: ReadingsOption = None,
    as_json: Json = False,
) -> None:
    """Say for each question which rules fired, which nearly did, and what they lacked.

    A rule nearly fires when only one literal does not hold, and something it looks for is there.

    What was found is highlighted in the text as rules see it: small letters, digits as 0.

    Exit 1 when a dialogue is refused.
    """
    settings = load_settings({"domain": domain, "registry": registry})
    settings = replace(
        settings, bundle=None, readings=choose_readings(readings, [source], settings)
    )
    pack = load_domain(settings.domain)
    decides = _rules(pack, settings, rules, release)
    seen = one_view(view, default="recorded" if source.is_dir() else "live")
    read = read_examples(source, domain=pack.name, view=seen, now_ms=system_now_ms())
    wanted = (each for each in read if event in (None, each.event.event_id))
    examples = list(map(say_notes, islice(wanted, limit + 1)))
    if event is not None and not examples:
        raise DatasetError(f"{source}: no event {event!r}; `kdsl tag --json` lists their ids")
    refused = asyncio.run(_explain_all(examples[:limit], settings, pack, decides, as_json))
    if len(examples) > limit:
        say(f"there are more than {limit} dialogues; --limit or --event shows others")
    raise typer.Exit(1 if refused else 0)


def _as_said(rules: RuleSet) -> RuleSet:
    said = (replace(rule, body=reading_order(rule.body)) for rule in rules.rules)
    return RuleSet(task=rules.task, rules=tuple(said))


def _rules(pack: Domain, settings: Settings, folder: Path | None, release: str | None) -> _Rules:
    if folder is not None and release is not None:
        raise InvalidSettings("explain either --rules or a --release, not both")
    if release is not None:
        opened = _released(release, settings, pack)
        written = {name: _as_said(task.rule_set) for name, task in opened.tasks.items()}
        return _Rules(release=opened, written=written)
    sources = pack_rules(pack) | (folder_rules(folder, pack) if folder else {})
    built = build_release(pack, sources)
    name = digest(canonical_bytes(built))
    return _Rules(
        release=ActiveRelease.of(built, digest=name, domain=pack),
        written={task: each.rule_set for task, each in sources.items()},
        places=_places(pack_folder(settings.domain), pack)
        | (_places(folder, pack) if folder else {}),
    )


def _places(folder: Path, pack: Domain) -> dict[str, Place]:
    named = [folder / f"{task}.rules" for task in pack.tasks]
    files = read_rules_files([path for path in named if path.is_file()], pack)
    return {rule: place for file in files for rule, place in file.read.places.items()}


def _released(name: str, settings: Settings, pack: Domain) -> ActiveRelease:
    """A release to be looked at, by whomever it is signed: nothing obeys it."""
    named = find_anywhere(name, settings)
    return ActiveRelease.of(read_release(named.signed.content), digest=named.digest, domain=pack)


async def _explain_all(
    examples: list[Example], settings: Settings, pack: Domain, rules: _Rules, as_json: bool
) -> int:
    """Explain one example after the other; how many were refused."""
    refused = 0
    async with ModelSide(settings, pack) as side:
        for example in examples:
            try:
                explained = await explain_event(
                    example.event,
                    domain=pack,
                    release=rules.release,
                    screens=side.screens,
                    rule_sets=rules.written,
                )
            except InvalidRecord as error:
                refused += 1
                say(f"{example.place}: {error.reason}: {error.detail}")
            else:
                _put(example, explained, rules.places, as_json)
    return refused


def _put(
    example: Example,
    explained: Sequence[ExplainedQuestion],
    places: Mapping[str, Place],
    as_json: bool,
) -> None:
    console = stdout()
    if not explained:
        say(f"{example.place}: asks nothing: its latest turn is the agent's, without an image")
    for question in explained:
        if as_json:
            put_json(_fields(example, question))
            continue
        for line in _lines(example, question, places, marks=not console.is_terminal):
            console.print(line, soft_wrap=True)


def _lines(
    example: Example, explained: ExplainedQuestion, places: Mapping[str, Place], *, marks: bool
) -> Iterator[Text]:
    question = explained.question
    image = "" if question.image_id is None else f" {printable(question.image_id)}"
    line = Text(f"{printable(example.event.event_id)} {question.task}{image}: ", style="bold")
    line.append(verdict_words(explained.verdict))
    alone = explained.without_model
    if alone.label is not None and not isinstance(explained.verdict, Answered):
        line.append(f"; without a model {printable(alone.label)} ({alone.confidence:.2f})")
    if example.label is not None and example.task == question.task:
        line.append(f", should be {printable(example.label)}")
    yield line
    yield from explanation_lines(
        explained.explanation, explained.evidence, places=places, marks=marks
    )


def _fields(example: Example, explained: ExplainedQuestion) -> dict[str, object]:
    question = explained.question
    return {
        "event_id": example.event.event_id,
        "dialogue_id": example.event.dialogue_id,
        "task": question.task,
        "image_id": question.image_id,
        "should_be": example.label if example.task == question.task else None,
        "verdict": verdict_fields(explained.verdict),
        "without_model": {
            "label": explained.without_model.label,
            "confidence": explained.without_model.confidence,
        },
        **explanation_fields(explained.explanation),
        "texts": dict(explained.evidence.texts),
        "facts": dict(explained.evidence.facts),
    }
