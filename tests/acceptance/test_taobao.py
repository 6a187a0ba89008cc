"""Real Chinese customer service through the real Kafka and all workers.

The data (MDSIRC, WWW 2025) are not part of this repository: the test looks for them in
`../shared/data/taobao` beside the checkout, or where `KDSL_TAOBAO` says.
"""

import asyncio
import hashlib
import os
import shutil
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from inference.compact import train
from inference.folds import fold
from inference.reading import ReadingCache
from rule_store import canonical_bytes, digest, read_release
from streams.active_release import ActiveRelease
from streams.building import build_release, pack_rules
from streams.cli.model import task_specs
from streams.datasets import Example, View, read_examples
from streams.domain import Domain, load_domain
from streams.evaluation import weighted_f1
from streams.events import Tag
from streams.given_readings import fill_cache
from streams.labelled import LabelledQuestion, read_labelled
from streams.local_broker import LocalBroker
from streams.model_side import ModelSide
from streams.settings import Settings
from streams.tagging import tag_examples
from tests.system import System

_CHECKOUT = Path(__file__).parents[2]
TAOBAO = Path(os.environ.get("KDSL_TAOBAO", _CHECKOUT.parent / "shared" / "data" / "taobao"))
OWN_READINGS = 40
VIEW: View = "live"

pytestmark = [
    pytest.mark.kafka,
    pytest.mark.skipif(
        not (TAOBAO / "dialogues.jsonl").is_file(),
        reason="the Taobao data (../shared/data/taobao or KDSL_TAOBAO) are not here",
    ),
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Trained:
    domain: Domain
    bundle: Path
    release: bytes
    held_out: tuple[Example, ...]


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Trained:
    """A bundle and a release from four fifths of the examples; the other fifth is held out."""
    folder = tmp_path_factory.mktemp("taobao")
    domain = load_domain("taobao")
    examples = list(read_examples(TAOBAO, domain=domain.name, view=VIEW, now_ms=1))
    learned_from = [each for each in examples if fold(each.event.event_id) != 0]
    cache = folder / "cache"
    fill_cache(TAOBAO / "ocr.jsonl", ReadingCache(cache / "readings"))
    settings = Settings(domain="taobao", cache=cache, readings="given")
    labelled = asyncio.run(_lay_out(learned_from, settings, domain))
    bundle = train(
        task_specs(domain),
        [each.training_example for each in labelled],
        concepts=domain.lexicon.concepts,
        out=folder / "bundle",
    )
    release = build_release(domain, pack_rules(domain), bundle=bundle, labelled=labelled)
    held_out = tuple(each for each in examples if fold(each.event.event_id) == 0)
    return Trained(
        domain=domain,
        bundle=folder / "bundle",
        release=canonical_bytes(release),
        held_out=held_out,
    )


async def _lay_out(
    examples: Sequence[Example], settings: Settings, domain: Domain
) -> list[LabelledQuestion]:
    async with ModelSide(settings, domain) as side:
        screens = side.screens
        return [each async for each in read_labelled(examples, domain=domain, screens=screens)]


def test_a_held_out_fifth_is_tagged_by_all_workers_with_every_question_accounted_for(
    trained: Trained, kafka: LocalBroker, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    own = _images_to_read(trained.held_out)
    cache = tmp_path / "cache"
    _fill_all_but(own, cache, tmp_path)

    with System(kafka=kafka, folder=tmp_path / "system", domain=trained.domain) as system:
        system.activate(trained.release)
        system.start("tagger")
        system.start(
            "resolver",
            *("--bundle", str(trained.bundle), "--cache", str(cache)),
            *("--readings", "given"),
        )
        system.start("alerter")
        system.send(trained.held_out)
        system.until(lambda: system.lag("tagger") == 0, "all events are decided")
        system.until(lambda: system.lag("resolver") == 0, "all is resolved", within_s=240)
        accounts = system.accounts((each.event, each.label) for each in trained.held_out)
        tags = {tag.event_id: tag for tag in system.tags()}
        for role in ("tagger", "resolver", "alerter"):
            assert system.processes.restarts(role) == 0

    summary = accounts.summary()
    assert summary.missing == 0
    assert summary.dead_letters == 0
    assert summary.questions == len(trained.held_out)
    read_here = _own_readings_in(cache)
    assert read_here >= OWN_READINGS
    own_examples = [each for each in trained.held_out if set(_digests(each)) & set(own)]
    given_tags = _tag_with_given_readings(trained, own_examples, tmp_path)
    with capsys.disabled():
        print(
            f"\nTaobao, {VIEW} view, held-out fifth of {summary.questions} questions "
            f"({read_here} images read here, the others given): "
            f"weighted F1 {_figures(summary.weighted_f1)}; {summary.tags}"
        )
        print(f"the {len(own_examples)} questions whose images were read here:")
        print(f"  own readings   {_figures(_f1(own_examples, tags))}")
        print(f"  given readings {_figures(_f1(own_examples, given_tags))}")
    # A bundle that ignores its input scores .01 to .05; these floors leave room for the split.
    assert summary.weighted_f1["intent"] > 0.6
    assert summary.weighted_f1["scene"] > 0.6


def _digests(example: Example) -> list[str]:
    return [
        image.sha256
        for turn in example.event.turns
        for image in turn.images
        if image.sha256 is not None
    ]


def _images_to_read(examples: Iterable[Example]) -> list[str]:
    """Digests of images for our own OCR: mostly scenes, as rules may answer an intent unread."""
    by_task: dict[str | None, list[str]] = defaultdict(list)
    for example in examples:
        by_task[example.task].extend(_digests(example))
    return [*by_task["scene"][:OWN_READINGS], *by_task["intent"][:8]]


def _fill_all_but(own: Sequence[str], cache: Path, scratch: Path) -> None:
    """A cache with the given readings of all images but those to be read here."""
    reduced = scratch / "reduced"
    (reduced / "images").mkdir(parents=True)
    for image in sorted((TAOBAO / "images").iterdir()):
        if hashlib.sha256(image.read_bytes()).hexdigest() not in own:
            (reduced / "images" / image.name).symlink_to(image)
    shutil.copy(TAOBAO / "ocr.jsonl", reduced / "ocr.jsonl")
    fill_cache(reduced / "ocr.jsonl", ReadingCache(cache / "readings"))


def _own_readings_in(cache: Path) -> int:
    return sum(b'"reader":"rapidocr' in file.read_bytes() for file in cache.rglob("*.json"))


def _tag_with_given_readings(
    trained: Trained, examples: Sequence[Example], scratch: Path
) -> dict[str, Tag]:
    """The same decision without Kafka, all readings given."""
    cache = scratch / "given"
    fill_cache(TAOBAO / "ocr.jsonl", ReadingCache(cache / "readings"))
    settings = Settings(domain="taobao", bundle=trained.bundle, cache=cache, readings="given")

    async def run() -> dict[str, Tag]:
        active = ActiveRelease.of(
            read_release(trained.release), digest=digest(trained.release), domain=trained.domain
        )
        async with ModelSide(settings, trained.domain) as side:
            tagged = tag_examples(examples, side.pipeline(active))
            return {tag.event_id: tag async for each in tagged for tag in each.tags}

    return asyncio.run(run())


def _f1(examples: Sequence[Example], tags: dict[str, Tag]) -> dict[str, float]:
    right: dict[str, list[str]] = defaultdict(list)
    answers: dict[str, list[str | None]] = defaultdict(list)
    for example in examples:
        right[str(example.task)].append(str(example.label))
        answers[str(example.task)].append(tags[example.event.event_id].label)
    return {task: weighted_f1(right[task], answers[task]) for task in right}


def _figures(by_task: dict[str, float]) -> str:
    return ", ".join(f"{task} {value:.3f}" for task, value in sorted(by_task.items()))
