"""Where refreshes work: a folder for a registry's domain, in it one for each set of inputs."""

import re
import shutil
from hashlib import sha256
from pathlib import Path

import platformdirs

from rule_store import Signed, signed_to_bytes
from rule_store.registry.place import RegistryPlace
from streams.whole_files import write_whole

# The newest of them are kept, so that what was refused can be looked at.
KEPT = 5
_DIGITS = 12
_OF_INPUTS = re.compile(rf"[0-9a-f]{{{_DIGITS}}}")
_POSTGRES_PORT = 5432


def refresh_folder(registry: str | Path, domain: str) -> Path:
    """Where refreshes of a registry's domain work: beside a file, else in the user's own folder.

    >>> refresh_folder("/srv/kdsl/registry.db", "storefront")
    PosixPath('/srv/kdsl/registry-refresh/storefront')
    """
    place = RegistryPlace.of(registry)
    if place.file is not None:
        return place.file.with_name(f"{place.file.stem}-refresh") / domain
    url = place.url
    # The same database, whoever logs in and however the port is written.
    database = f"{(url.host or '').lower()}:{url.port or _POSTGRES_PORT}/{url.database}"
    named = sha256(database.encode()).hexdigest()[:_DIGITS]
    return platformdirs.user_data_path("kdsl") / "refresh" / named / domain


def candidate_file(folder: Path, inputs: str) -> Path:
    """Where the candidate of a run stands, among what it was made from."""
    return folder / inputs[:_DIGITS] / "candidate.release"


def keep_candidate(folder: Path, inputs: str, content: bytes, *, forget_old: bool) -> None:
    """Write a candidate, unsigned: nobody has let it pass yet.

    Args:
        folder: where refreshes work.
        inputs: digest of what it was made from.
        content: the release.
        forget_old: remove all runs but the `KEPT` newest; the folder is this domain's alone.

    Raises:
        InvalidSettings: the folder cannot be written to.
    """
    file = candidate_file(folder, inputs)
    write_whole(file, signed_to_bytes(Signed(content=content, signatures=())))
    if forget_old:
        _forget_old(folder, file.parent)


def _forget_old(folder: Path, present: Path) -> None:
    """Remove all but the newest runs; what a person has put into the folder stays."""
    runs = [each for each in folder.iterdir() if _is_run(each) and each != present]
    runs.sort(key=lambda each: each.stat().st_mtime_ns, reverse=True)
    for each in runs[KEPT - 1 :]:
        shutil.rmtree(each, ignore_errors=True)


def _is_run(folder: Path) -> bool:
    written = ("candidate.release", "fitted.json", ".checkpoint")
    return _OF_INPUTS.fullmatch(folder.name) is not None and any(
        (folder / name).exists() for name in written
    )
