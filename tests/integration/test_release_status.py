"""`kdsl release status` on a real Kafka counts the activations that workers obey."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner

from rule_store import canonical_bytes, new_key, public_path
from streams.building import build_release, pack_rules
from streams.cli.main import app
from streams.local_broker import LocalBroker
from tests.system import System

pytestmark = pytest.mark.kafka


@pytest.fixture
def system(kafka: LocalBroker, tmp_path: Path) -> Iterator[System]:
    with System(kafka=kafka, folder=tmp_path) as system:
        yield system


def test_what_the_trust_store_of_the_environment_does_not_know_is_not_active(
    system: System, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    new_key(tmp_path / "stranger.key")
    name = system.activate(canonical_bytes(build_release(system.domain, pack_rules(system.domain))))
    command = ["release", "status", "--bootstrap", system.bootstrap, "--prefix", system.prefix]

    def said(key: Path) -> str:
        monkeypatch.setenv("KDSL_TRUST", str(public_path(key)))
        return CliRunner().invoke(app, command).output

    assert f"active for storefront: {name}" in said(system.key)
    stranger = said(tmp_path / "stranger.key")
    assert "no release is active" in stranger
    assert "whom the trust store does not know" in stranger
