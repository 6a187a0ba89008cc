"""Whose releases a worker obeys."""

import logging
from pathlib import Path
from typing import Protocol

from rule_store import KeyRefused, Purpose, Signed, TrustStore, key_files
from streams.errors import InvalidSettings
from streams.settings import Settings

_log = logging.getLogger(__name__)


class Trust(Protocol):
    """What verifies; a `TrustStore` does, and so does one that is read again when it changes."""

    def verify(self, signed: Signed, purpose: Purpose) -> tuple[str, ...]:
        """The ids of the trusted keys that signed.

        Raises:
            RuleStoreError: nobody who is trusted signed this, or nobody can be trusted just now.
        """
        ...


class TrustOnDisk:
    """A trust store that is read again, before it verifies, whenever its files have changed.

    So a key counts from the moment its file is there, and no longer when it is gone. A store that
    cannot be read trusts nobody until it can.
    """

    def __init__(self, path: Path) -> None:
        """Read it for the first time.

        Raises:
            KeyRefused: it cannot be read, or holds no key.
        """
        self._path = path
        # Looked at before reading: a change in between is seen the next time.
        self._files = key_files(path)
        self._store = TrustStore.load(path)

    def verify(self, signed: Signed, purpose: Purpose) -> tuple[str, ...]:
        return self._current().verify(signed, purpose)

    def _current(self) -> TrustStore:
        files = key_files(self._path)
        if files != self._files:
            store = TrustStore.load(self._path)
            _log.info("%s has changed; trusted from now on: %s", self._path, ", ".join(store.keys))
            self._files, self._store = files, store
        return self._store


def trust_of(settings: Settings) -> Trust | None:
    """The keys whose releases are obeyed; None obeys anybody, which must be said outright.

    Raises:
        InvalidSettings: neither a trust store nor `--allow-unsigned`, or an unreadable one.
    """
    if settings.trust is None:
        if settings.allow_unsigned:
            return None
        raise InvalidSettings(
            "whose releases shall be obeyed? Name the public keys with --trust FILE_OR_FOLDER, "
            "or obey anybody with --allow-unsigned"
        )
    try:
        return TrustOnDisk(settings.trust)
    except KeyRefused as error:
        raise InvalidSettings(str(error)) from error
