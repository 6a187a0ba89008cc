"""A process that writes to a registry: `python registry_writer.py URL NAME HOW RELEASE TIMES`."""

import os
import signal
import sys

from rule_store import Activation
from rule_store.registry import Registry
from rule_store.registry_errors import RegistryConflict
from tests.factories import NOW_MS
from tests.registries import LABELS_DIGEST, activate, make_envelope


def activate_times(registry: Registry, release: str, *, by: str, times: int) -> None:
    """Activate again and again, whatever the others do."""
    for _ in range(times):
        print(0, activate(registry, release, by=by).sequence)


def follow_times(registry: Registry, release: str, *, by: str, times: int) -> None:
    """Activate only upon what was seen in force; print both whenever that was allowed."""
    won = 0
    while won < times:
        seen = registry.active("shop", LABELS_DIGEST)
        before = seen.sequence if seen else 0
        try:
            print(before, activate(registry, release, by=by, expected=before).sequence)
        except RegistryConflict:
            continue
        won += 1


def die_before_publishing(registry: Registry, release: str) -> None:
    activate(registry, release)
    os.kill(os.getpid(), signal.SIGKILL)


def die_before_the_commit(registry: Registry, release: str) -> None:
    def make_and_die(activation: Activation) -> bytes:
        os.kill(os.getpid(), signal.SIGKILL)
        return make_envelope(activation)

    registry.activate(
        "shop",
        LABELS_DIGEST,
        release,
        shadow=None,
        by="ann",
        at_ms=NOW_MS,
        make_envelope=make_and_die,
    )


def main(url: str, by: str, how: str, release: str, times: str) -> None:
    with Registry.open(url) as registry:
        print("ready", flush=True)
        sys.stdin.readline()  # all begin together
        match how:
            case "activate":
                activate_times(registry, release, by=by, times=int(times))
            case "follow":
                follow_times(registry, release, by=by, times=int(times))
            case "die before publishing":
                die_before_publishing(registry, release)
            case "die before the commit":
                die_before_the_commit(registry, release)


if __name__ == "__main__":
    main(*sys.argv[1:])
