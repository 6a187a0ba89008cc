"""Whose releases a worker obeys."""

from rule_store import KeyRefused, TrustStore
from streams.errors import InvalidSettings
from streams.settings import Settings


def trust_store(settings: Settings) -> TrustStore | None:
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
        return TrustStore.load(settings.trust)
    except KeyRefused as error:
        raise InvalidSettings(str(error)) from error
