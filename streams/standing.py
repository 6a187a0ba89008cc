"""Which release a worker stands under and which it refused last; who waits for changes is woken."""

import asyncio

from streams.events import RefusedRelease, ReleaseInForce


class Standing:
    """Written by whoever follows the releases.

    changed: set with every change; whoever waits for it clears it.
    """

    def __init__(self) -> None:
        self.in_force: ReleaseInForce | None = None
        self.refusal: RefusedRelease | None = None
        self.changed = asyncio.Event()

    def take(self, release: ReleaseInForce) -> None:
        """A release is in force; an earlier refusal stays known."""
        self.in_force = release
        self.changed.set()

    def refuse(self, refusal: RefusedRelease) -> None:
        """One was refused; the one in force stays."""
        self.refusal = refusal
        self.changed.set()
