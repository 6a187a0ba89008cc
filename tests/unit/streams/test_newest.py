"""Consumers ignore a tag older than the newest of its dialogue, task and image."""

from streams.newest import NewestTags
from tests import factories as make


def test_an_older_tag_is_not_accepted_and_an_equal_one_is() -> None:
    newest = NewestTags()
    assert newest.accept(make.tag(turn_index=4))
    assert newest.accept(make.tag(turn_index=4))
    assert not newest.accept(make.tag(turn_index=3))
    assert newest.accept(make.tag(turn_index=5))
    assert not newest.accept(make.tag(turn_index=4))


def test_of_one_turn_the_later_time_is_newer() -> None:
    newest = NewestTags()
    assert newest.accept(make.tag(sent_at_ms=10))
    assert not newest.accept(make.tag(sent_at_ms=9))


def test_the_turn_outweighs_the_time() -> None:
    newest = NewestTags()
    assert newest.accept(make.tag(turn_index=1, sent_at_ms=9))
    assert not newest.accept(make.tag(turn_index=0, sent_at_ms=10))


def test_dialogues_tasks_and_images_do_not_disturb_each_other() -> None:
    newest = NewestTags()
    newest.accept(make.tag(turn_index=9))
    for other in (
        make.tag(dialogue_id="d2"),
        make.tag(task="scene", image_id="a"),
        make.tag(task="scene", image_id="b"),
    ):
        assert newest.accept(other)


def test_it_forgets_the_dialogues_not_seen_for_longest() -> None:
    newest = NewestTags(size=2)
    newest.accept(make.tag(dialogue_id="a", turn_index=5))
    newest.accept(make.tag(dialogue_id="b", turn_index=5))
    newest.accept(make.tag(dialogue_id="a", turn_index=5))
    newest.accept(make.tag(dialogue_id="c", turn_index=5))
    assert not newest.accept(make.tag(dialogue_id="a", turn_index=4))
    assert newest.accept(make.tag(dialogue_id="b", turn_index=4))
