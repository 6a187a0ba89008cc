"""The cluster as seen from outside the workers: topics, offsets, clients to fill and read them."""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from streams.errors import BrokerUnreachable, StreamsError

_ANSWER_S = 20.0
_AGAIN_S = 0.1
_READ_RECORDS = 10_000
_QUIET = {"log_level": 0}


class Outside:
    """Asks a Kafka about topics and groups, through confluent-kafka.

    Args:
        bootstrap: `host:port` of the cluster.
    """

    def __init__(self, bootstrap: str) -> None:
        # Of the bench extra: nobody else needs it.
        import confluent_kafka
        import confluent_kafka.admin

        self.bootstrap = bootstrap
        self._kafka = confluent_kafka
        self._new_topic = confluent_kafka.admin.NewTopic
        self._admin = confluent_kafka.admin.AdminClient({"bootstrap.servers": bootstrap} | _QUIET)
        self._watches: dict[str, Any] = {}
        self._partitions: dict[str, list[int]] = {}

    def check(self) -> None:
        """Ask for metadata.

        Raises:
            BrokerUnreachable: nobody answers.
        """
        try:
            self._admin.list_topics(timeout=_ANSWER_S)
        except self._kafka.KafkaException as error:
            raise BrokerUnreachable(
                f"no Kafka answers at {self.bootstrap}: start one with `kdsl broker`, or leave "
                "--bootstrap out, and the benchmark starts its own"
            ) from error

    def create(self, topic: str, partitions: int) -> None:
        """Make a topic of one copy.

        Raises:
            StreamsError: the cluster refuses it.
        """
        made = self._admin.create_topics([self._new_topic(topic, partitions, 1)])
        try:
            made[topic].result(_ANSWER_S)
        except self._kafka.KafkaException as error:
            raise StreamsError(f"topic {topic} cannot be made: {error.args[0].str()}") from error

    def topics(self, prefix: str) -> list[str]:
        """The topics whose names begin so."""
        known = self._admin.list_topics(timeout=_ANSWER_S).topics
        return sorted(name for name in known if name.startswith(prefix))

    def delete(self, prefix: str) -> None:
        """Delete every topic that begins so: a library may have made some of its own."""
        if doomed := self.topics(prefix):
            for answer in self._admin.delete_topics(doomed).values():
                answer.result(_ANSWER_S)
        until = time.monotonic() + _ANSWER_S
        while self.topics(prefix) and time.monotonic() < until:
            time.sleep(_AGAIN_S)  # the node that answers hears of it a little later

    def forget_group(self, group: str) -> None:
        """Delete the offsets of a group; one that still has members is left to expire."""
        for answer in self._admin.delete_consumer_groups([group]).values():
            if answer.exception(_ANSWER_S) is not None:
                return

    def written(self, topic: str) -> int:
        """How many records stand in a topic of which nothing was ever removed."""
        watch = self._watch("")
        return sum(self._end(watch, place) for place in self._places(topic))

    def committed(self, group: str, topic: str) -> int:
        """How many records of a topic a group has committed."""
        watch, places = self._watch(group), self._places(topic)
        answer = self._patiently(lambda: watch.committed(places, timeout=_ANSWER_S))
        return sum(max(0, place.offset) for place in answer)

    def read(self, topic: str) -> Iterator[bytes]:
        """The values of a topic up to its end as it is now."""
        watch = self.consumer({})
        left = {
            place.partition: end
            for place in self._places(topic)
            if (end := self._end(watch, place)) > 0
        }
        watch.assign([self._kafka.TopicPartition(topic, number, 0) for number in left])
        until = time.monotonic() + _ANSWER_S
        while left and time.monotonic() < until:
            for message in watch.consume(_READ_RECORDS, 0.2):
                if message.error() is None:
                    until = time.monotonic() + _ANSWER_S
                    yield message.value()
                    if message.offset() + 1 >= left.get(message.partition(), 0):
                        left.pop(message.partition(), None)
        watch.close()

    def assign_from_now(self, consumer: Any, topic: str) -> None:
        """Let a consumer of no group read what comes."""
        places = self._places(topic)
        for place in places:
            place.offset = self._end(consumer, place)
        consumer.assign(places)

    def producer(self, options: Mapping[str, Any]) -> Any:
        """A confluent producer that keeps a key on the partition other clients choose for it."""
        return self._kafka.Producer(
            {"bootstrap.servers": self.bootstrap, "acks": "all", "partitioner": "murmur2_random"}
            | _QUIET
            | dict(options)
        )

    def consumer(self, options: Mapping[str, Any]) -> Any:
        """A confluent consumer that joins no group and commits nothing."""
        return self._kafka.Consumer(
            {
                "bootstrap.servers": self.bootstrap,
                "group.id": "kdsl-bench-outside",
                "enable.auto.commit": False,
            }
            | _QUIET
            | dict(options)
        )

    def close(self) -> None:
        for watch in self._watches.values():
            watch.close()
        self._watches.clear()

    def _watch(self, group: str) -> Any:
        """A client to ask with; committed offsets are asked by a client that names the group."""
        if group not in self._watches:
            self._watches[group] = self.consumer({"group.id": group} if group else {})
        return self._watches[group]

    def _places(self, topic: str) -> Sequence[Any]:
        if topic not in self._partitions:
            known = self._admin.list_topics(topic, timeout=_ANSWER_S).topics[topic].partitions
            self._partitions[topic] = sorted(known)
        return [self._kafka.TopicPartition(topic, number) for number in self._partitions[topic]]

    def _end(self, consumer: Any, place: Any) -> int:
        end: int = self._patiently(
            lambda: consumer.get_watermark_offsets(place, timeout=_ANSWER_S, cached=False)[1]
        )
        return end

    def _patiently(self, ask: Callable[[], Any]) -> Any:
        """Ask again for a while: a topic just made is not led by anybody yet."""
        until = time.monotonic() + _ANSWER_S
        while True:
            try:
                return ask()
            except self._kafka.KafkaException as error:
                if time.monotonic() > until:
                    raise StreamsError(
                        f"{self.bootstrap} refuses: {error.args[0].str()}"
                    ) from error
            time.sleep(_AGAIN_S)
