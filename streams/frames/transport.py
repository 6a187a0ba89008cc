"""A Faust transport driver that hands agents frames instead of single messages.

Faust's cost is per message: fetching makes two tasks for each, then come the conductor, the
stream iterator and the acknowledgement. So here a *frame* of records is one message.
"""

from collections.abc import AsyncIterator, Callable, Iterable
from typing import Any, cast

import faust
from faust.transport.drivers import aiokafka as driver
from faust.types.enums import ProcessingGuarantee

from streams.frames.consumer import Consumer
from streams.frames.frame import Frame, FrameBounds

# Ten years. After the interval the client leaves its group, and joins no more unless it fetches:
# a worker in reserve never does, and one whose frames take long to decide does not in time.
# Whether records move has to be watched where they are decided.
_POLL_INTERVAL_S = 10 * 365 * 86_400.0


class Transport(driver.Transport):
    """Faust's aiokafka transport with frames; its addresses begin with `framed://`.

    framed: the topics that are handed out in frames, and their bounds.
    buffer_bytes: bound on all frames together that are handed out and not wholly acknowledged;
        a single larger frame passes alone.
    crash_within_s: how long a worker whose reading failed for good may take to stop.
    """

    Consumer = Consumer
    driver_version = f"framed+{driver.Transport.driver_version}"
    buffer_bytes = 64 * 1024 * 1024
    crash_within_s = 5.0

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.framed: dict[str, FrameBounds] = {}

    def create_consumer(self, callback: Callable[..., Any], **kwargs: Any) -> Any:
        """Make the consumer, for agents that frames can be handed to.

        Raises:
            TypeError: several agents on one framed topic, or an agent with concurrency.
        """
        _refuse_agents(self.app, self.framed)
        self.app.conf.broker_max_poll_interval = _POLL_INTERVAL_S
        return super().create_consumer(callback, **kwargs)


class FrameSchema(faust.Schema):  # type: ignore[type-arg]  # not generic when it runs
    """Hands frames through as they are: decoding is the agent's, a frame at a time."""

    def loads_key(
        self, app: Any, message: Any, *, loads: Any = None, serializer: Any = None
    ) -> Any:
        return None if isinstance(message.value, Frame) else message.key

    def loads_value(
        self, app: Any, message: Any, *, loads: Any = None, serializer: Any = None
    ) -> Any:
        return message.value


def frame_topic(app: faust.App, name: str, *, bounds: FrameBounds | None = None) -> Any:
    """Declare a topic whose one agent gets frames: `async for frame in frames(stream)`.

    Raises:
        TypeError: the app's broker address does not begin with `framed://`, or it wants
            transactions, which frames do not support.
        ValueError: the topic was declared before.
    """
    transport = app.transport
    guarantee = cast("ProcessingGuarantee", app.conf.processing_guarantee)
    if guarantee is not ProcessingGuarantee.AT_LEAST_ONCE:
        raise TypeError("frames commit at least once: leave processing_guarantee as it is")
    if not isinstance(transport, Transport):
        raise TypeError(f"frames need the broker address framed://…, not {app.conf.broker}")
    if name in transport.framed:
        raise ValueError(f"{name} is declared already: use the topic of the first frame_topic()")
    bounds = bounds or FrameBounds()
    transport.framed[name] = bounds
    topic = app.topic(name, schema=FrameSchema())
    # App.topic() takes maxsize= and drops it; without one 4,096 frames would queue up.
    topic.maxsize = bounds.max_waiting
    return topic


def frame_consumer(app: faust.App) -> Consumer:
    """The app's consumer, which knows what is in flight, held in memory and committed."""
    return cast("Consumer", app.consumer)


async def frames(stream: Any) -> AsyncIterator[Frame]:
    """The frames of an agent's stream, to be acknowledged by whoever takes them."""
    async for event in stream.noack().events():
        yield event.value


def _refuse_agents(app: Any, framed: Iterable[str]) -> None:
    """Refuse agents among which frames of one topic would be mixed up.

    An agent's topics are known from its declaration, but only at the start are all declared.
    """
    for topic in framed:
        agents = [agent for agent in app.agents.values() if topic in agent.get_topic_names()]
        if len(agents) > 1:
            names = ", ".join(sorted(agent.name for agent in agents))
            raise TypeError(f"{topic} is framed and has several agents ({names}): give it one")
        for agent in agents:
            if agent.concurrency > 1:
                raise TypeError(f"{agent.name} takes frames of {topic}: leave its concurrency at 1")
