"""Releases swapped under load: nothing is lost, and no tag is of two of them."""

import re
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from urllib.request import urlopen

import pytest

from rule_store import (
    Activation,
    Has,
    Literal,
    Rule,
    RuleSet,
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
from streams.building import RuleSource, build_release
from streams.domain import Domain
from streams.settings import RoleName
from tests.faults.harness import STREAM_S, settle
from tests.faults.source import Source
from tests.system import System

pytestmark = [pytest.mark.kafka, pytest.mark.faults]

SWAPS = 20
BAD_AFTER = (5, 10, 15)
BETWEEN_S = 0.3
ROLES: tuple[RoleName, ...] = ("tagger", "resolver")
_IN_FORCE = re.compile(r'^kdsl_release_info\{digest="([^"]+)"\} 1', re.MULTILINE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Numbered:
    """The pack's rules as a release of which no other number shares a rule."""

    content: bytes
    rules: frozenset[str]

    @classmethod
    def of(cls, domain: Domain, number: int) -> "Numbered":
        never = Literal(predicate=Has(channel="last", phrase=f"never {number}"), negated=True)

        def changed(rule: Rule) -> Rule:
            return replace(rule, body=(*rule.body, never))

        sets = {
            name: RuleSet(task=name, rules=tuple(map(changed, rule_set.rules)))
            for name, rule_set in domain.rule_sets.items()
        }
        sources = {name: RuleSource(rule_set=rule_set) for name, rule_set in sets.items()}
        return cls(
            content=canonical_bytes(build_release(domain, sources)),
            rules=frozenset(rule.id for rule_set in sets.values() for rule in rule_set.rules),
        )


def in_force(system: System, release: str) -> bool:
    """Whether tagger and resolver decide under it."""
    found = []
    for role in ROLES:
        with urlopen(f"http://127.0.0.1:{system.ports[role]}/metrics", timeout=5) as answer:
            found += _IN_FORCE.findall(answer.read().decode())
    return found == [release] * len(ROLES)


def point_at(system: System, content: bytes, *, sequence: int, key: Path) -> None:
    """Publish bytes as a release and point the workers at them, whatever they are."""
    signer, name = load_key(key), digest(content)
    activation = Activation(
        domain=system.domain.name,
        labels_digest=system.domain.labels_digest,
        digest=name,
        shadow=None,
        sequence=sequence,
        by="test",
        at_ms=0,
    )
    envelope = sign(activation_to_bytes(activation), signer, "activation")
    release = sign(content, signer, "release")
    system.send_raw("releases", [(release_key(name).encode(), signed_to_bytes(release))])
    system.send_raw("releases", [(topic_key(activation).encode(), signed_to_bytes(envelope))])


def refused(system: System, count: int) -> bool:
    return all(system.metric(role, "kdsl_releases_refused_total") == count for role in ROLES)


def test_twenty_activations_and_three_bad_releases_lose_nothing_and_mix_nothing(
    system: System, small_bundle: Path, tmp_path: Path
) -> None:
    stranger = tmp_path / "stranger.key"
    new_key(stranger)
    numbered = [Numbered.of(system.domain, number) for number in range(SWAPS + 1)]
    other = Numbered.of(system.domain, SWAPS + 1).content
    bad = iter(((b"\xc1 garbage", system.key), (other, stranger), (other[:-1], system.key)))
    rules_of = {system.activate(numbered[0].content): numbered[0].rules}
    system.start("tagger")
    system.start("resolver", "--bundle", str(small_bundle))
    sequence, refusals = 2, 0  # the fixture's own activation was the first
    with Source(system) as source:
        source.flow(STREAM_S)
        for number, release in enumerate(numbered[1:], start=1):
            name = system.activate(release.content)
            rules_of[name] = release.rules
            sequence += 1
            system.until(partial(in_force, system, name), f"{number} is in force")
            source.flow(BETWEEN_S)
            if number in BAD_AFTER:
                content, key = next(bad)
                sequence, refusals = sequence + 1, refusals + 1
                point_at(system, content, sequence=sequence, key=key)
                system.until(partial(refused, system, refusals), "it is refused")
                assert in_force(system, name)
        source.flow(STREAM_S)
    report = settle(source, roles=ROLES)
    assert report.in_order, report
    assert report.dead_letters == 0
    assert refusals == len(BAD_AFTER)
    tags = system.tags()
    assert name in {tag.release for tag in tags}
    mixed = [tag for tag in tags if not set(tag.rules) <= rules_of[tag.release]]
    assert mixed == []
    assert any(tag.rules for tag in tags if tag.release == name)
