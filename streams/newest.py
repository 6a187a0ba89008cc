"""Which tag of a dialogue is the newest; consumers ignore the older ones."""

from cachetools import LRUCache

from streams.events import Tag

_Key = tuple[str, str, str | None]
_Rank = tuple[int, int]


class NewestTags:
    """Remembers, for each dialogue, task and image, how new the newest tag seen is.

    Order per dialogue holds within the output of the tagger and of the resolver, not across the
    two, so a resolver's tag of an earlier turn can arrive after a tagger's of a later one.
    """

    def __init__(self, *, size: int = 100_000) -> None:
        self._newest: LRUCache[_Key, _Rank] = LRUCache(maxsize=size)

    def accept(self, tag: Tag) -> bool:
        """Whether the tag is at least as new as all seen before; if so it is the newest now."""
        key = (tag.dialogue_id, tag.task, tag.image_id)
        rank = (tag.turn_index, tag.sent_at_ms)
        if rank < self._newest.get(key, rank):
            return False
        self._newest[key] = rank
        return True
