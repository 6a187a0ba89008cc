"""Several processes write to one registry, and some are killed: on both databases."""

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from rule_store import activation_from_bytes, signed_from_bytes
from rule_store.registry import Patience, Registry
from rule_store.registry_errors import RegistryUnavailable
from tests.factories import NOW_MS
from tests.registries import LABELS_DIGEST, activate, add, make_signed, waiting

_CHECKOUT = Path(__file__).parents[2]
TIMES = 15


class Writer:
    """A process of `registry_writer.py`, stopped just before it writes."""

    def __init__(self, url: str, by: str, how: str, release: str) -> None:
        program = ["-m", "tests.integration.registry_writer", url, by, how, release, str(TIMES)]
        self._process = subprocess.Popen(
            [sys.executable, *program],
            cwd=_CHECKOUT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self._process.stdout is not None
        assert self._process.stdout.readline() == "ready\n"

    def go(self) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write("\n")
        self._process.stdin.flush()

    def end(self) -> list[tuple[int, int]]:
        """What it activated: pairs of the sequence it saw and the one it got."""
        printed, _ = self._process.communicate(timeout=120)
        assert self._process.returncode == 0
        pairs = (line.split() for line in printed.splitlines())
        return [(int(seen), int(got)) for seen, got in pairs]

    def status(self) -> int:
        self._process.communicate(timeout=120)
        return self._process.returncode


def race(url: str, how: str) -> list[tuple[int, int]]:
    """Two processes at once, each with its release; all pairs, by sequence got."""
    with Registry.open(url) as registry:
        releases = add(registry, "one", "two")
    writers = [Writer(url, f"w{n}", how, release) for n, release in enumerate(releases)]
    for writer in writers:
        writer.go()
    pairs = [pair for writer in writers for pair in writer.end()]
    return sorted(pairs, key=lambda pair: pair[1])


def test_processes_that_race_to_activate_never_share_or_skip_a_sequence(registry_url: str) -> None:
    pairs = race(registry_url, "activate")
    assert [got for _, got in pairs] == list(range(1, 2 * TIMES + 1))
    with Registry.open(registry_url) as registry:
        rows = registry.history("shop")
        assert [row.activation.sequence for row in rows] == list(range(2 * TIMES, 0, -1))
        assert registry.verify_audit() == 2 + 2 * TIMES, "two releases and every activation"
        assert len(waiting(registry)) == 2 * TIMES


def test_no_two_processes_activate_upon_the_same_predecessor(registry_url: str) -> None:
    pairs = race(registry_url, "follow")
    assert pairs == [(before, before + 1) for before in range(2 * TIMES)]


def test_what_was_decided_before_a_kill_is_still_to_be_published(registry_url: str) -> None:
    with Registry.open(registry_url) as registry:
        (name,) = add(registry, "one")
    writer = Writer(registry_url, "w", "die before publishing", name)
    writer.go()
    assert writer.status() == -signal.SIGKILL
    with Registry.open(registry_url) as registry:
        (row,) = waiting(registry)
        assert row.activation == registry.active("shop", LABELS_DIGEST)
        assert activation_from_bytes(signed_from_bytes(row.envelope).content) == row.activation
        registry.published(row.activation, at_ms=NOW_MS)
        assert waiting(registry) == []


def test_nothing_stays_of_an_activation_that_is_killed_before_its_commit(registry_url: str) -> None:
    with Registry.open(registry_url) as registry:
        (name,) = add(registry, "one")
        writer = Writer(registry_url, "w", "die before the commit", name)
        writer.go()
        assert writer.status() == -signal.SIGKILL
        assert registry.active("shop", LABELS_DIGEST) is None
        assert waiting(registry) == []
        assert registry.verify_audit() == 1
        assert activate(registry, name).sequence == 1, "the lock went with its owner"


def test_processes_that_open_a_new_file_at_once_agree_on_one_registry(tmp_path: Path) -> None:
    file = tmp_path / "new" / "registry.db"
    code = (
        "import sys; from rule_store.registry import Registry; Registry.open(sys.argv[1]).close()"
    )
    started = [subprocess.Popen([sys.executable, "-c", code, str(file)]) for _ in range(4)]
    assert [process.wait(60) for process in started] == [0, 0, 0, 0]
    with Registry.open(file) as registry:
        assert registry.verify_audit() == 0


def test_a_writer_that_holds_the_registry_too_long_is_named(registry_url: str) -> None:
    with Registry.open(registry_url) as registry:
        (name,) = add(registry, "one")
        hasty = Registry.open(registry_url, patience=Patience(lock_s=0.2))
        with registry._database.writing(), hasty:
            with pytest.raises(RegistryUnavailable, match="another writer holds it"):
                hasty.add_release(make_signed("two"), by="bob", at_ms=NOW_MS)
            assert hasty.release(name).digest == name, "readers do not wait"
