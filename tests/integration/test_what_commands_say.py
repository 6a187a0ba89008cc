"""What commands say of little: one event sent, no dead letter there."""

import uuid
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from streams.cli.main import app
from streams.local_broker import LocalBroker

pytestmark = pytest.mark.kafka

LINE = '{"dialogue_id": "d1", "turns": [{"speaker": "user", "text": "where is my parcel"}]}\n'


class Cluster:
    """`kdsl` against a cluster with topics of its own."""

    def __init__(self, kafka: LocalBroker) -> None:
        self._reached = ["--bootstrap", kafka.bootstrap, "--prefix", f"t{uuid.uuid4().hex[:8]}-"]
        assert self.kdsl("topics", "create").exit_code == 0

    def kdsl(self, *arguments: str) -> Result:
        return CliRunner().invoke(app, [*arguments, *self._reached])


@pytest.fixture
def cluster(kafka: LocalBroker) -> Cluster:
    return Cluster(kafka)


def test_where_no_dead_letter_is_no_table_is_shown(cluster: Cluster) -> None:
    listed = cluster.kdsl("dead-letters", "list")
    assert (listed.exit_code, listed.stdout, listed.stderr) == (0, "", "none\n")
    redriven = cluster.kdsl("dead-letters", "redrive")
    assert (redriven.exit_code, redriven.stderr) == (0, "sent 0 originals\n")


@pytest.mark.parametrize(("lines", "said"), [(1, "sent 1 event to "), (2, "sent 2 events to ")])
def test_events_are_counted_in_words_that_fit(
    cluster: Cluster, tmp_path: Path, lines: int, said: str
) -> None:
    file = tmp_path / "dialogues.jsonl"
    file.write_text("".join(LINE.replace("d1", f"d{number}") for number in range(lines)))
    sent = cluster.kdsl("send", str(file))
    assert sent.exit_code == 0
    assert sent.stderr.startswith(said)
