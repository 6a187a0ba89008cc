"""A release in shadow on a real Kafka: what it would have said, and that nothing else changes."""

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from rule_store import canonical_bytes, digest, read_rules
from streams.building import build_release, pack_rules
from streams.cli.main import app
from streams.codec import decode_shadow, encode_event
from streams.events import DialogueEvent, Turn
from streams.local_broker import LocalBroker
from streams.shadow_records import ShadowDifference
from tests.system import System

pytestmark = pytest.mark.kafka

ASKED, HESITATED, THANKED = "where is my order?", "hm", "thank you very much"


@pytest.fixture
def system(kafka: LocalBroker, tmp_path: Path) -> Iterator[System]:
    environment = {"KDSL_STATUS_EVERY_S": "1"}
    with System(kafka=kafka, folder=tmp_path, environment=environment) as system:
        yield system


def release_with(system: System, rules: str) -> bytes:
    """The pack's release, its rules for the intent replaced."""
    domain = system.domain
    labels = domain.tasks["intent"].label_names
    read = read_rules(rules, task="intent", labels=labels, lexicon=domain.lexicon)
    pack = replace(domain, rule_sets={**domain.rule_sets, "intent": read})
    return canonical_bytes(build_release(pack, pack_rules(pack)))


def send(system: System, texts: list[str]) -> None:
    events = [
        DialogueEvent(
            domain=system.domain.name,
            event_id=f"e{number}",
            dialogue_id=f"d{number}",
            sent_at_ms=1_800_000_000_000,
            turns=(Turn(speaker="user", text=text),),
        )
        for number, text in enumerate(texts)
    ]
    system.send_raw(
        "events", [(event.dialogue_id.encode(), encode_event(event)) for event in events]
    )


def run(system: System, command: str, *options: str) -> str:
    reached = ["--bootstrap", system.bootstrap, "--prefix", system.prefix]
    result = CliRunner().invoke(app, ["release", command, *reached, *options])
    assert result.exit_code == 0, result.output
    return result.stdout


def shown(system: System, command: str) -> dict[str, Any]:
    return dict(json.loads(run(system, command, "--json")))


def shadows(system: System) -> list[str | None]:
    """What each worker evaluates in shadow, as `kdsl release status --json` shows."""
    return [worker["in_force"]["shadow"] for worker in shown(system, "status")["workers"]]


def compared(system: System) -> dict[str, Any]:
    """The one comparison that `kdsl release shadow --json` shows; empty while there is none."""
    found = shown(system, "shadow")["comparisons"]
    return dict(found[0]) if found else {}


def questions_told(system: System) -> int:
    tasks = compared(system).get("tasks", [])
    return sum(
        task[outcome] for task in tasks for outcome in ("same", "differs", "open", "skipped")
    )


def test_a_shadow_changes_no_tag_and_tells_where_it_would_have_answered_otherwise(
    system: System,
) -> None:
    active = release_with(
        system,
        """
        when last has "order" then track_order
        when last has "thank you" then other
        """,
    )
    shadow = release_with(
        system,
        """
        when last has "order" then other
        when last has "hm" then track_order
        """,
    )
    name = system.activate(active, shadow=shadow)
    system.start("tagger")
    system.start("resolver")
    system.until(lambda: shadows(system) == [digest(shadow)] * 2, "both evaluate the shadow")
    send(system, [ASKED, HESITATED, THANKED] * 10)
    system.until(lambda: questions_told(system) == 30, "every question is told of")

    tags = system.tags()
    assert Counter(tag.label for tag in tags) == {"track_order": 10, "other": 10, None: 10}
    assert {tag.release for tag in tags} == {name}

    told = compared(system)
    assert (told["active"], told["shadow"]) == (name, digest(shadow))
    # A machine with much else to do leaves no time for some; these are skipped, and no others.
    flips = {
        (flip["active"], flip["shadow"], flip["open"]): flip["count"] for flip in told["flips"]
    }
    assert flips.keys() <= {
        ("track_order", "other", False),
        ("other", None, True),
        (None, "track_order", False),
    }
    assert max(flips.values(), default=0) <= 10
    skipped = sum(task["skipped"] for task in told["tasks"])
    assert sum(flips.values()) + skipped == 30
    differences = [
        record
        for record in (decode_shadow(each.value or b"") for each in system.records("shadow"))
        if isinstance(record, ShadowDifference)
    ]
    assert len(differences) == sum(flips.values()) > 0
    table = run(system, "shadow", "--differences", "1")
    assert "agreement" in table
    assert " -> " in table.splitlines()[-1]

    system.activate(active)
    assert run(system, "shadow", "--json").count('"ended": true') == 1
