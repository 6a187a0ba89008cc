"""Where the activations of a registry are published."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Binding:
    """The one topic that a registry belongs to.

    cluster: the id that Kafka has given it; empty where it has given none.
    prefix: of the topic's name; most have none.
    """

    cluster: str
    prefix: str

    def __str__(self) -> str:
        """Both as people read them.

        >>> str(Binding(cluster="pK7c", prefix="staging-")), str(Binding(cluster="", prefix=""))
        ('Kafka cluster pK7c, prefix staging-', 'a Kafka cluster of no id, no prefix')
        """
        cluster = f"Kafka cluster {self.cluster}" if self.cluster else "a Kafka cluster of no id"
        return f"{cluster}, {f'prefix {self.prefix}' if self.prefix else 'no prefix'}"
