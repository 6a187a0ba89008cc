"""The folder of a mining: files that belong together, and rules that a person may have edited."""

import hashlib
import json
from collections.abc import Collection, Mapping
from pathlib import Path

from streams.errors import InvalidDomain, InvalidSettings
from streams.whole_files import move_whole, remove_whole, write_whole

SUMMARY = "summary.html"
# File → SHA-256 as mining wrote it; the second has what is being written, and becomes the first.
_WRITTEN = ".written.json"
_WRITING = ".writing.json"
_RULES = ".rules"


def check_writable(folder: Path, tasks: Collection[str]) -> None:
    """Make sure that nothing which a person wrote is lost by writing rules there.

    Args:
        folder: may be missing.
        tasks: whose rules will be written; none, as long as that is not known.

    Raises:
        InvalidSettings: it is a file or a pack, rules there are not as they were mined, or of
            another task some files are missing or half written.
    """
    try:
        _refuse_lost(folder, tasks)
        if tasks:
            _refuse_half(folder, tasks)
    except OSError as error:
        raise InvalidSettings(
            f"{folder} cannot be read: {error.strerror}; give another --out"
        ) from error


def _refuse_lost(folder: Path, tasks: Collection[str]) -> None:
    if folder.exists() and not folder.is_dir():
        raise InvalidSettings(f"{folder} is no folder: give another --out")
    if (folder / "domain.toml").exists():
        raise InvalidSettings(
            f"{folder} is a domain pack, whose rules somebody wrote: give another --out"
        )
    known = {*_digests(folder / _WRITTEN).items(), *_digests(folder / _WRITING).items()}
    for task in tasks:
        path = folder / f"{task}{_RULES}"
        if path.is_file() and (path.name, _digest(path.read_bytes())) not in known:
            raise InvalidSettings(
                f"{path} is not as `kdsl rules mine` wrote it: move it away to keep what was "
                "edited, or give another --out"
            )


def _refuse_half(folder: Path, tasks: Collection[str]) -> None:
    """What tasks share holds of the others what it held before; only mining them mends that."""
    written, writing = _digests(folder / _WRITTEN), _digests(folder / _WRITING)
    own = {f"{task}{_RULES}" for task in tasks}
    others = [name for name in {**written, **writing} if name.endswith(_RULES) and name not in own]
    half = [name for name in others if name in writing and writing[name] != written.get(name)]
    gone = [name for name in _missing(folder) if not name.endswith(_RULES)] if others else []
    if half or gone:
        names = " and ".join(sorted(name.removesuffix(_RULES) for name in half or others))
        why = "writing them was stopped" if half else f"{' and '.join(gone)} is missing"
        raise InvalidSettings(
            f"{folder}: files of {names} are not whole, as {why}: run `kdsl rules mine` for "
            f"{names} too, or give another --out"
        )


def _missing(folder: Path) -> list[str]:
    return [name for name in _digests(folder / _WRITTEN) if not (folder / name).is_file()]


def write_together(folder: Path, texts: Mapping[str, str | None]) -> None:
    """Write files of a mining, so that `check_whole` tells when only some of them were.

    Args:
        folder: made when it is missing.
        texts: by name of the file; None removes it.

    Raises:
        InvalidSettings: the folder cannot be written to, or of another task files are missing or
            half written.
    """
    _refuse_half(folder, [n.removesuffix(_RULES) for n in texts if n.endswith(_RULES)])
    digests = _digests(folder / _WRITTEN) | {
        name: _digest(text.encode()) for name, text in texts.items() if text is not None
    }
    kept = {name: each for name, each in sorted(digests.items()) if texts.get(name, "") is not None}
    write_whole(folder / _WRITING, json.dumps(kept, indent=1) + "\n")
    for name, text in texts.items():
        if text is None:
            remove_whole(folder / name)
        else:
            write_whole(folder / name, text)
    move_whole(folder / _WRITING, folder / _WRITTEN)


def check_whole(folder: Path) -> None:
    """Make sure that the files there are of one mining; what a person edits since is theirs.

    Raises:
        InvalidDomain: writing them was stopped, or one is missing.
    """
    if (folder / _WRITING).exists():
        raise InvalidDomain(
            f"{folder}: its files are of two minings, as writing them was stopped: run the same "
            "`kdsl rules mine` again"
        )
    if missing := _missing(folder):
        raise InvalidDomain(
            f"{folder / missing[0]} is missing, and the other files rest on it: bring it back, or "
            "run the same `kdsl rules mine` again"
        )


def _digests(path: Path) -> dict[str, str]:
    """None are known where the file is missing or is not ours."""
    try:
        return {str(name): str(digest) for name, digest in json.loads(path.read_bytes()).items()}
    except (OSError, ValueError, AttributeError):
        return {}


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
