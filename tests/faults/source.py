"""A steady source: dialogues that go on turn by turn while faults strike."""

import threading
from collections import deque
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from types import TracebackType
from typing import Self

from streams.datasets import Example
from streams.events import DialogueEvent, Turn
from tests.system import System

DIALOGUES = 50
# Rules answer four of seven; seven and fifty share no factor, so every dialogue says all of them.
TEXTS = (
    "where is my order?",
    "hello",
    "I want my money back",
    "are you still there",
    "the lamp is broken",
    "how long will the bath mat take",
    "can I change the address",
)


class Source:
    """Sends an event at every beat, from a thread of its own, for as long as it is entered.

    sent: every event, in the order sent.

    Args:
        system: whose `dialogue.events` it fills.
        rate: events a second.
    """

    def __init__(self, system: System, *, rate: float = 300.0) -> None:
        self.system = system
        self.rate = rate
        self.sent: list[DialogueEvent] = []
        self._to_say: deque[str] = deque()
        self._enough = threading.Event()
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="source")

    def __enter__(self) -> Self:
        self._sending = self._thread.submit(self.system.send, self._examples(), rate=self.rate)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._enough.set()
        self._thread.shutdown()
        self._sending.result()

    def say(self, text: str) -> None:
        """Put a text of one's own into the next event."""
        self._to_say.append(text)

    def flow(self, seconds: float) -> None:
        """Let it run on for as many events as it sends in this time."""
        enough = len(self.sent) + round(seconds * self.rate)
        self.system.until(
            lambda: len(self.sent) >= enough or self._sending.done(),
            "the source sends on",
            within_s=60 + 2 * seconds,
        )
        assert not self._sending.done(), self._sending.exception()

    def _examples(self) -> Iterator[Example]:
        while not self._enough.is_set():
            number = len(self.sent)
            text = self._to_say.popleft() if self._to_say else TEXTS[number % len(TEXTS)]
            event = DialogueEvent(
                domain=self.system.domain.name,
                event_id=f"event-{number}",
                dialogue_id=f"dialogue-{number % DIALOGUES}",
                sent_at_ms=number + 1,
                first_turn_index=number // DIALOGUES,
                turns=(Turn(speaker="user", text=text),),
            )
            self.sent.append(event)
            yield Example(event=event, label=None, place=f"made:{number}")
