"""What identifies a tag, and where in its dialogue an event stands."""

import hashlib

from streams.events import digest_of
from tests import factories as make


def test_the_turn_index_counts_the_turns_that_were_left_out() -> None:
    turns = (make.user("a"), make.agent("b"), make.user("c"))
    assert make.event(*turns).turn_index == 2
    assert make.event(*turns, first_turn_index=10).turn_index == 12


def test_a_digest_is_sha256_over_length_prefixed_parts() -> None:
    prefixed = b"\x00\x00\x00\x01a" + b"\x00\x00\x00\x02\xc3\xa9" + b"\x00\x00\x00\x00"
    assert digest_of("a", "é", "") == hashlib.sha256(prefixed).hexdigest()[:32]


def test_a_tag_id_tells_domain_event_task_and_image_apart_and_nothing_else() -> None:
    known = make.tag()
    same = make.tag(label=None, source="abstained", reason="no_rule", release="x", decided_at_ms=9)
    assert known.tag_id == digest_of("shop", "e1", "intent", "") == same.tag_id
    others = [
        make.tag(domain="b"),
        make.tag(event_id="b"),
        make.tag(task="scene"),
        make.tag(image_id="b"),
    ]
    assert len({tag.tag_id for tag in (known, *others)}) == 5
