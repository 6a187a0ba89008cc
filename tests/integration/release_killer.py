"""Activates a release and dies: `release_killer.py WHEN REGISTRY RELEASE KEY HOST PREFIX`."""

import asyncio
import os
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

from rule_store import load_key
from rule_store.registry import Registry
from streams.activating import Wanted, activate_release
from streams.cluster import Cluster
from streams.publishing import KafkaReleaseTopic
from tests.factories import NOW_MS


class FatalTopic(KafkaReleaseTopic):
    """Dies instead of publishing, after the release, or after all of it."""

    when = "before"

    async def send(self, records: Sequence[tuple[str, bytes]]) -> None:
        await super().send(records[: {"before": 0, "between": 1, "after": 2}[self.when]])
        os.kill(os.getpid(), signal.SIGKILL)


def main(when: str, place: str, release: str, key: str, bootstrap: str, prefix: str) -> None:
    topic = FatalTopic(Cluster(bootstrap=bootstrap), prefix=prefix)
    topic.when = when
    with Registry.open(place) as registry:
        wanted = Wanted(release=release, key=load_key(Path(key)), by="ann", at_ms=NOW_MS)
        asyncio.run(activate_release(registry, topic, wanted))


if __name__ == "__main__":
    main(*sys.argv[1:])
