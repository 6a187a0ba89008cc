"""The live path on a real Kafka: workers as processes, records in, tags and dead letters out."""

import asyncio
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from inference.bundle import load_bundle
from rule_store import (
    Activation,
    Signed,
    Untrusted,
    activation_to_bytes,
    canonical_bytes,
    digest,
    load_key,
    new_key,
    release_key,
    sign,
    signed_to_bytes,
    topic_key,
)
from rule_store.registry import Registry
from streams.activating import Wanted, activate_release
from streams.building import RuleSource, build_release, pack_rules
from streams.codec import decode_alert, decode_deferred, encode_event
from streams.domain import Domain
from streams.events import DialogueEvent, ImageRef, Turn
from streams.kafka import open_producer
from streams.limits import LIMITS
from streams.local_broker import LocalBroker
from streams.publishing import KafkaReleaseTopic
from streams.role import system_now_ms
from streams.topics import topic_name
from tests import factories as make
from tests.system import System

pytestmark = pytest.mark.kafka


@pytest.fixture
def system(kafka: LocalBroker, tmp_path: Path) -> Iterator[System]:
    with System(kafka=kafka, folder=tmp_path) as system:
        yield system


def release_of(domain: Domain, *, answer_at: float | None = None) -> bytes:
    release = build_release(domain, pack_rules(domain))
    if answer_at is not None:
        tasks = {name: replace(task, answer_at=answer_at) for name, task in release.tasks.items()}
        release = replace(release, tasks=tasks)
    return canonical_bytes(release)


def release_without_rules(domain: Domain) -> bytes:
    sources = {
        name: RuleSource(rule_set=replace(source.rule_set, rules=()))
        for name, source in pack_rules(domain).items()
    }
    return canonical_bytes(build_release(domain, sources))


def said(text: str, event_id: str, **changes: object) -> DialogueEvent:
    event = DialogueEvent(
        domain="storefront",
        event_id=event_id,
        dialogue_id=f"dialogue-of-{event_id}",
        sent_at_ms=1_800_000_000_000,
        turns=(Turn(speaker="user", text=text),),
    )
    return replace(event, **changes)  # type: ignore[arg-type]


def records_of(events: list[DialogueEvent]) -> list[tuple[bytes, bytes]]:
    return [(event.dialogue_id.encode(), encode_event(event)) for event in events]


def test_bad_records_become_dead_letters_one_by_one_and_the_worker_goes_on(
    system: System,
) -> None:
    system.activate(release_of(system.domain))
    system.start("tagger")
    good = [said("where is my order?", f"good-{n}") for n in range(3)]
    first, second, third = (encode_event(event) for event in good)
    forbidden = said(
        "look",
        "forbidden",
        turns=(
            Turn(
                speaker="user",
                text="look",
                images=(ImageRef(image_id="i", uri="file:///etc/passwd"),),
            ),
        ),
    )
    system.send_raw(
        "events",
        [
            (b"k", first),
            (b"k", b"\xc1 garbage"),
            (b"k", None),
            (b"k", b"\x91" * 100_000),
            (b"k", first.replace(b"\xa31.0", b"\xa39.0")),
            (b"k", second),
            (b"k", encode_event(said("hi", "foreign", domain="elsewhere"))),
            (b"k", encode_event(said("   ", "empty"))),
            (b"k", encode_event(said("hi", "unknown", tasks=("mood",)))),
            (b"k", encode_event(forbidden)),
            (None, third),
        ],
    )
    system.until(lambda: system.lag("tagger") == 0, "all records are committed")
    letters = system.dead_letters()
    assert sorted(letter.reason for letter in letters) == sorted(
        [
            "undecodable",
            "undecodable",
            "undecodable",
            "unknown_version",
            "foreign_domain",
            "empty_dialogue",
            "unknown_task",
            "image_forbidden_uri",
        ]
    )
    garbage = next(letter for letter in letters if letter.record == b"\xc1 garbage")
    assert garbage.topic == f"{system.prefix}dialogue.events"
    assert garbage.key == b"k"
    assert garbage.role == "tagger"
    assert sorted(tag.event_id for tag in system.tags()) == ["good-0", "good-1", "good-2"]
    assert system.processes.alive("tagger")


def test_a_worker_without_an_active_release_takes_nothing_and_says_what_to_run(
    system: System,
) -> None:
    system.start("tagger", ready=False)
    system.until(lambda: "release" in system.health("tagger").get("obstacles", {}), "it is up")
    system.send_raw("events", records_of([said("where is my order?", "waiting")]))
    assert "kdsl release activate" in system.health("tagger")["obstacles"]["release"]
    assert system.tags() == []
    system.activate(release_of(system.domain))
    system.until(lambda: system.health("tagger").get("ready") is True, "it became ready")
    system.until(lambda: system.lag("tagger") == 0, "what waited is decided")


def test_a_new_release_is_obeyed_without_a_restart_and_a_foreign_one_is_not(
    system: System, tmp_path: Path
) -> None:
    with_rules = system.activate(release_of(system.domain))
    system.start("tagger")
    pid = system.processes.pid("tagger")

    system.send_raw("events", records_of([said("where is my order?", "one")]))
    system.until(lambda: len(system.tags()) == 1, "the rules answer")
    assert system.tags()[0].release == with_rules

    system.activate(release_without_rules(system.domain))
    system.until(lambda: system.metric("tagger", "kdsl_release_info") == 1, "swapped")
    system.until(lambda: len(_after_swap(system)) > 0, "without rules all is deferred")

    stranger = tmp_path / "stranger.key"
    new_key(stranger)
    system.activate(release_of(system.domain, answer_at=0.5), key=stranger)
    system.until(
        lambda: system.metric("tagger", "kdsl_releases_refused_total") == 1, "it was refused"
    )
    assert "trust store does not know" in system.health("tagger")["notes"]["refusal"]
    deferred = len(system.records("deferred"))
    system.send_raw("events", records_of([said("where is my order?", "three")]))
    system.until(lambda: len(system.records("deferred")) == deferred + 1, "the old one stays")

    assert system.activate(release_of(system.domain)) == with_rules  # a roll-back
    system.until(lambda: _answers_again(system), "the rules answer again")
    assert system.processes.pid("tagger") == pid
    assert system.processes.alive("tagger")


def _after_swap(system: System) -> list[object]:
    system.send_raw("events", records_of([said("where is my order?", "two")]))
    return list(system.records("deferred"))


def _answers_again(system: System) -> bool:
    system.send_raw("events", records_of([said("where is my order?", "four")]))
    return any(tag.event_id == "four" for tag in system.tags())


def test_sigterm_ends_a_worker_cleanly_with_everything_committed(system: System) -> None:
    system.activate(release_of(system.domain))
    system.start("tagger")
    events = [said("where is my order?", f"e{n}") for n in range(200)]
    system.send_raw("events", records_of(events))
    system.until(lambda: len(system.tags()) > 0, "it is at work")
    system.processes.stop("tagger")
    assert system.processes.status("tagger") == 0
    system.start("tagger")
    system.until(lambda: system.lag("tagger") == 0, "the next one finished it")
    accounts = system.accounts((event, None) for event in events)
    assert accounts.missing == ()


def test_an_alert_has_the_same_id_after_a_redelivered_tag_and_a_restart(system: System) -> None:
    system.activate(release_of(system.domain))
    system.start("tagger")
    system.start("alerter")
    now_ms = system_now_ms()
    complaint = said("this is outrageous, I want to complain", "angry", sent_at_ms=now_ms)
    system.send_raw("events", records_of([complaint]))
    system.until(lambda: len(system.records("alerts")) == 1, "an operator is alerted")

    tag = system.records("tags")[0]
    system.send_raw("tags", [(tag.key, tag.value)])
    system.until(lambda: system.lag("alerter") == 0, "the redelivered tag is considered")
    assert len(system.records("alerts")) == 1

    system.processes.stop("alerter")
    system.start("alerter")
    system.send_raw("tags", [(tag.key, tag.value)])
    system.until(lambda: len(system.records("alerts")) == 2, "a new worker remembers nothing")
    first, second = (decode_alert(record.value or b"") for record in system.records("alerts"))
    assert first.alert_id == second.alert_id
    assert first.label == "complaint"


def test_a_starting_worker_passes_over_a_bad_release_to_the_last_good_one(
    system: System, tmp_path: Path
) -> None:
    good = system.activate(release_of(system.domain))
    signed_by_us = sign(b"no release at all", load_key(system.key), "release")
    name = digest(signed_by_us.content)
    bad = Activation(
        domain=system.domain.name,
        labels_digest=system.domain.labels_digest,
        digest=name,
        shadow=None,
        sequence=2,
        by="test",
        at_ms=0,
    )
    activation = sign(activation_to_bytes(bad), load_key(system.key), "activation")
    system.send_raw("releases", [(release_key(name).encode(), signed_to_bytes(signed_by_us))])
    system.send_raw("releases", [(topic_key(bad).encode(), signed_to_bytes(activation))])
    system.start("tagger")
    system.send_raw("events", records_of([said("where is my order?", "one")]))
    system.until(lambda: len(system.tags()) == 1, "the last good release decides")
    assert system.tags()[0].release == good
    assert name in system.health("tagger")["notes"]["refusal"]


def test_what_workers_would_refuse_cannot_be_activated(system: System, tmp_path: Path) -> None:
    unsigned = Signed(content=release_of(system.domain), signatures=())
    stranger = new_key(tmp_path / "stranger.key")
    topic = KafkaReleaseTopic(system.cluster, prefix=system.prefix)
    with Registry.open(system.registry) as registry:
        for release in (unsigned, sign(unsigned.content, stranger, "release")):
            name = registry.add_release(release, by="test", at_ms=0).digest
            wanted = Wanted(release=name, key=load_key(system.key), by="test", at_ms=0)
            with pytest.raises(Untrusted):
                asyncio.run(activate_release(registry, topic, wanted))
        assert registry.history(system.domain.name) == ()
    assert system.records("releases") == []


def test_a_null_header_and_many_tags_of_one_dialogue_pass(system: System) -> None:
    """The client hands over None for a null header; tags of one key share one batch."""
    system.activate(release_of(system.domain))
    system.start("tagger")
    events = [said("where is my order?", f"e{n}", dialogue_id="one") for n in range(500)]

    async def send() -> None:
        topic = topic_name("events", prefix=system.prefix)
        async with open_producer(system.cluster) as producer:
            for event in events:
                headers = [("flag", None), ("trace", b"1")]
                await producer.send(topic, key=b"one", value=encode_event(event), headers=headers)

    asyncio.run(send())
    system.until(lambda: system.lag("tagger") == 0, "all records are committed")
    tags = system.tags()
    assert [tag.event_id for tag in tags] == [event.event_id for event in events]
    assert system.dead_letters() == []


def test_a_fused_tag_comes_from_rule_votes_and_the_model(system: System, bundle: Path) -> None:
    """Rules that may not answer alone still vote."""
    release = release_of(system.domain, answer_at=0.99)
    digest_ = system.activate(release)
    system.start("tagger")
    system.start("resolver", "--bundle", str(bundle))
    system.send_raw("events", records_of([said("where is my order?", "one")]))
    system.until(lambda: len(system.tags()) == 1, "it is resolved")
    (tag,) = system.tags()
    assert (tag.label, tag.source, tag.release) == ("track_order", "fusion", digest_)
    assert tag.rules
    assert tag.bundle == load_bundle(bundle).digest
    assert "defaults" in system.health("resolver")["notes"]["weights"]


def test_a_worker_needs_no_writable_folder_and_obeys_no_foreign_variable(
    system: System, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    system.activate(release_of(system.domain))
    monkeypatch.setenv("BROKER_URL", "aiokafka://127.0.0.1:1")
    monkeypatch.setenv("APP_VALUE_SERIALIZER", "json")
    empty = tmp_path / "empty"
    empty.mkdir()
    system.start("tagger", cwd=empty)
    system.send_raw("events", records_of([said("where is my order?", "one")]))
    system.until(lambda: len(system.tags()) == 1, "it works")
    assert list(empty.iterdir()) == []


def test_records_at_the_size_limit_pass_every_hop(system: System) -> None:
    system.activate(release_of(system.domain))
    system.start("tagger")
    system.start("resolver")
    turns = (Turn(speaker="user", text="hm, well"),) * 3
    raw = encode_event(said("", "largest", turns=turns))
    event = make.padded(raw, LIMITS.event_bytes)
    garbage = b"\xc1" * LIMITS.event_bytes
    system.send_raw("events", [(b"d", event), (b"d", garbage)])
    system.until(lambda: len(system.tags()) == 1, "deferred and resolved")
    system.until(lambda: len(system.dead_letters()) == 1, "dead-lettered")
    (deferred,) = system.records("deferred")
    assert decode_deferred(deferred.value or b"").record == event
    assert system.tags()[0].event_id == "largest"
    assert system.dead_letters()[0].record == garbage
