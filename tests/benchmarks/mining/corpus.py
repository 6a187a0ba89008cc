"""Corpus: the labelled evidence of a dataset in one view, read once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rule_store.evidence import Evidence
from rule_store.mining.table import LabelledEvidence
from streams.cli.labelled import read_questions
from streams.cli.readings import choose_readings
from streams.cli.terminal import say
from streams.datasets import View, read_examples
from streams.domain import Domain
from streams.evidence import evidence_for
from streams.questions import questions
from streams.rule_mining import examples_by_task
from streams.settings import Settings
from tests.benchmarks.mining.cache import Cache, digest_of, digest_of_files, digest_of_sources

# What makes evidence of a dataset.
_READING = ("streams/*.py", "inference/*.py", "rule_store/evidence.py")


@dataclass(frozen=True, slots=True, kw_only=True)
class Corpus:
    """The examples of each task that can be mined."""

    view: View
    examples: Mapping[str, tuple[LabelledEvidence, ...]]


def read_corpus(path: Path, *, pack: Domain, view: View, cache: Cache) -> Corpus:
    """Read a labelled dataset, or take what an earlier run read of the same files.

    Raises:
        DatasetError: malformed, or no example can be mined.
    """
    digest = _digest(path, pack, view)
    rows = cache.read("evidence", digest)
    if rows is None:
        rows = _read(path, pack, view, cache)
        cache.write("evidence", digest, rows)
    return Corpus(
        view=view,
        examples={task: tuple(map(_example, its_rows)) for task, its_rows in rows.items()},
    )


def read_unlabelled(path: Path, *, pack: Domain, task: str) -> list[Evidence]:
    """The evidence of a task's questions, whatever their labels; of text alone."""
    return [
        evidence_for(question, example.event, {})
        for example in read_examples(path, domain=pack.name, view="live", now_ms=0)
        for question in questions(example.event, pack)
        if question.task == task
    ]


def _digest(path: Path, pack: Domain, view: View) -> str:
    # A split stands after the name of its folder.
    whole = path if path.exists() else path.parent
    return digest_of(
        digest_of_files([whole]),
        path.name,
        view,
        repr(sorted(pack.labels.items())),
        digest_of_sources(*_READING),
    )


def _read(path: Path, pack: Domain, view: View, cache: Cache) -> dict[str, list[Any]]:
    settings = Settings(domain=pack.name, cache=cache.folder, bundle=None)
    readings = choose_readings(None, [path], settings)
    chosen = Settings(domain=pack.name, cache=cache.folder, bundle=None, readings=readings)
    given = examples_by_task(read_questions([path], view, chosen, pack), pack)
    for each in given:
        for message in each.messages:
            say(f"{each.task.name}: {message}")
    return {each.task.name: _rows(each.examples) for each in given}


def _rows(examples: Sequence[LabelledEvidence]) -> list[Any]:
    return [
        [each.example_id, each.label, dict(each.evidence.texts), dict(each.evidence.facts)]
        for each in examples
    ]


def _example(row: Sequence[Any]) -> LabelledEvidence:
    example_id, label, texts, facts = row
    evidence = Evidence(texts=texts, facts=facts)
    return LabelledEvidence(example_id=example_id, label=label, evidence=evidence)
