"""Fixtures for all tests."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from streams.local_broker import LocalBroker
from streams.resources import quickstart_folder
from tests.left_behind import nothing_left_behind
from tests.postgres import PostgresServer
from tests.secure_broker import SecureBroker

# A Faust app is made when its module is imported; the tests start it as a process.
collect_ignore = ["integration/frames_app.py", "integration/frames_echo.py"]

_CHECKOUT = Path(__file__).parents[1]
# Files whose tests need what takes long to make: the installed wheel, its demo's folder, readings.
_COSTLY = ("test_interrupt.py", "test_live_path.py", "test_wheel.py")


def pytest_configure() -> None:
    """No terminal is there to fit tables into; `pytest -n` tells its processes of one."""
    os.environ.pop("COLUMNS", None)
    os.environ.pop("LINES", None)


def _together(nodeid: str) -> str:
    """Which tests one process runs: those of a file, or of all files that need what is costly."""
    file = nodeid.partition("::")[0]
    return "costly" if file.endswith(_COSTLY) else file


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> object:
    """How processes share the tests (`pytest -n`)."""
    from xdist.scheduler import LoadScopeScheduling

    scheduler: Any = LoadScopeScheduling(config, log)
    scheduler._split_scope = _together
    return scheduler


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Where processes share the tests, those that take long come first: so all end together."""
    if hasattr(config, "workerinput"):
        items.sort(key=lambda item: item.get_closest_marker("kafka") is None)


@pytest.fixture(scope="session")
def kafka(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalBroker]:
    """A real Kafka, one for all tests of a process; they keep apart by topic names and groups."""
    with LocalBroker(tmp_path_factory.mktemp("kafka"), heap_mb=256) as broker:
        yield broker


@pytest.fixture(scope="session")
def secure_kafka(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SecureBroker]:
    """A real Kafka with TLS, passwords and rights; tests keep apart as on the plain one."""
    with SecureBroker(tmp_path_factory.mktemp("secure-kafka")) as broker:
        yield broker


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    """A real PostgreSQL, one for the whole session; tests keep apart by databases."""
    with PostgresServer() as server:
        yield server


@pytest.fixture
def postgres_url(postgres: PostgresServer) -> str:
    """The URL of an empty database."""
    return postgres.new_database()


@pytest.fixture(scope="session")
def uv() -> str:
    """The uv beside our Python, else the one on the path."""
    return shutil.which("uv", path=str(Path(sys.executable).parent)) or "uv"


@pytest.fixture(scope="session")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Readings of the sample's screenshots, filled by whoever reads them first."""
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(scope="session")
def bundle(tmp_path_factory: pytest.TempPathFactory, cache: Path) -> Path:
    """A bundle trained by `kdsl model train` from the sample dialogues and screenshots."""
    out = tmp_path_factory.mktemp("model") / "bundle"
    arguments = ["model", "train", "--domain", "storefront", "--out", str(out)]
    arguments += ["--examples", str(quickstart_folder() / "train.jsonl")]
    subprocess.run(
        [sys.executable, "-m", "streams.cli", *arguments],
        check=True,
        env=os.environ | {"KDSL_CACHE": str(cache)},
        timeout=300,
    )
    return out


@pytest.fixture(scope="session")
def installed(tmp_path_factory: pytest.TempPathFactory, uv: str) -> Path:
    """The `kdsl` of a fresh environment, outside the checkout, into which the wheel went."""
    folder = tmp_path_factory.mktemp("wheel")
    constraints = str(_CHECKOUT / "constraints.txt")

    def run(*arguments: str) -> None:
        subprocess.run([uv, *arguments], check=True, cwd=folder, timeout=600)

    run("build", "--wheel", "--quiet", "--out-dir", "dist", str(_CHECKOUT))
    run("venv", "--quiet", "--python", sys.executable, "env")
    (wheel,) = (folder / "dist").glob("kdsl-*.whl")
    into = ("--quiet", "--python", "env/bin/python", "--constraint", constraints)
    run("pip", "install", *into, f"{wheel}[cpu,ocr,broker,train]")
    return folder / "env" / "bin" / "kdsl"


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoRun:
    """A finished `kdsl demo`, its data folder and the summary it wrote."""

    folder: Path
    summary: Path
    finished: "subprocess.CompletedProcess[str]"


@pytest.fixture(scope="session")
def demo_run(installed: Path, tmp_path_factory: pytest.TempPathFactory, cache: Path) -> DemoRun:
    """The installed wheel's demo, run where no checkout can shine through."""
    folder = tmp_path_factory.mktemp("demo")
    (folder / "cache").symlink_to(cache)
    summary = folder / "summary.json"
    hidden = ("PYTHONPATH", "VIRTUAL_ENV")
    with nothing_left_behind(str(folder)):
        finished = subprocess.run(
            [installed, "demo", "--data", folder, "--summary", summary],
            cwd=folder,
            env={name: value for name, value in os.environ.items() if name not in hidden},
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )
    return DemoRun(folder=folder, summary=summary, finished=finished)
