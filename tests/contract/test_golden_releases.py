"""Releases of schema 1.0, byte for byte: what workers follow today stays readable and itself.

`golden_releases/<name>-1.0.json` holds canonical bytes. A later vocabulary adds files beside
these and changes none.
"""

import json
from hashlib import sha256
from pathlib import Path

import pytest

from rule_store import (
    Evidence,
    Has,
    InvalidRelease,
    Line,
    Literal,
    Mentions,
    Reaches,
    canonical_bytes,
    digest,
    evaluate,
    read_release,
)

GOLDEN = Path(__file__).parent / "golden_releases"
# "texts" holds phrases and concepts alone; "facts" also lines, counts and numbers.
DIGESTS = {
    "texts": "sha256:13ab2b4f5fd9dc67d028f900b5ecd8c518ed9ac2720e494d2bb7a9e40b72b116",
    "facts": "sha256:ea476f7a6a485e29ea7dfccdd1e5d876e77d2e7deb027073988bafb7b109b194",
}
every_release = pytest.mark.parametrize("name", DIGESTS)


def golden(name: str) -> bytes:
    return (GOLDEN / f"{name}-1.0.json").read_bytes()


def test_every_golden_file_has_its_digest_here() -> None:
    assert {path.name for path in GOLDEN.iterdir()} == {f"{name}-1.0.json" for name in DIGESTS}


@every_release
def test_a_golden_release_keeps_its_bytes_and_its_digest(name: str) -> None:
    release = read_release(golden(name))
    assert canonical_bytes(release) == golden(name)
    assert digest(canonical_bytes(release)) == DIGESTS[name]


def test_phrases_and_concepts_are_read_as_they_were_meant() -> None:
    release = read_release(golden("texts"))
    assert [rule.body for task in ("intent", "scene") for rule in release.tasks[task].rules] == [
        (
            Literal(predicate=Has(channel="last", phrase="where is")),
            Literal(predicate=Mentions(channel="user", concept="parcel"), negated=True),
        ),
        (
            Literal(predicate=Has(channel="reply", phrase='"ok"\\'), negated=True),
            Literal(predicate=Mentions(channel="screen", concept="质量")),
            Literal(predicate=Has(channel="screen.top", phrase="👍 12:30")),
        ),
        (Literal(predicate=Has(channel="screen.lines", phrase="￥９９")),),
    ]


def test_lines_counts_and_numbers_are_read_as_they_were_meant() -> None:
    release = read_release(golden("facts"))
    (listing, photo) = release.tasks["scene"].rules
    assert listing.body == (
        Literal(predicate=Mentions(channel="screen", concept="parcel", at_least=2)),
        Literal(predicate=Line(channel="screen", line="My orders")),
        Literal(predicate=Reaches(fact="screen.line_count", value=3)),
    )
    assert photo.body == (
        Literal(predicate=Line(channel="screen.top", line="物流"), negated=True),
        Literal(predicate=Reaches(fact="screen.white_share", value=0.25), negated=True),
    )
    seen = Evidence(
        texts={"screen": "my orders\nparcel\nmy package", "screen.top": "my orders"},
        facts={"screen.line_count": 3, "screen.white_share": 0.9},
    )
    assert evaluate(release.rule_set("scene"), seen, release.lexicon).fired == (listing,)


@every_release
@pytest.mark.parametrize("test", ["matches", "reaches_not", "Has"])
def test_a_test_that_a_later_kdsl_brings_is_refused_with_the_cure(name: str, test: str) -> None:
    top = json.loads(golden(name))
    top["tasks"]["scene"]["rules"][0]["body"][0] = {"channel": "screen", test: "x"}
    with pytest.raises(InvalidRelease, match="update kdsl") as refusal:
        read_release(json.dumps(top).encode())
    assert refusal.value.where == "tasks.scene.rules[0].body[0]"


@every_release
def test_a_bound_that_a_later_kdsl_brings_changes_the_id_and_so_is_refused(name: str) -> None:
    """Passed over, it would make the rule fire more often than its author said."""
    top = json.loads(golden(name))
    rule = top["tasks"]["scene"]["rules"][0]
    rule["body"][0]["within_lines"] = 2
    told = json.dumps(
        ["scene", rule["body"], rule["label"]],
        ensure_ascii=False,
        sort_keys=True,
        separators=(",", ":"),
    )
    rule["id"] = sha256(told.encode()).hexdigest()[:16]
    with pytest.raises(InvalidRelease, match="the digest of what stands beside it"):
        read_release(json.dumps(top).encode())
