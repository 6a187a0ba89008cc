"""What the commands around releases share: options, the registry, and how a release is named."""

from __future__ import annotations

import getpass
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from rule_store import InvalidEnvelope, Signed, TrustStore, Untrusted, digest, signed_from_bytes
from rule_store.registry_errors import UnknownRelease
from streams.activating import Wanted, refuse_untrusted
from streams.cli.terminal import say
from streams.domain import load_domain
from streams.errors import InvalidSettings, ReleaseRefused
from streams.predecessors import digest_digits
from streams.settings import Settings

if TYPE_CHECKING:  # the other commands and the workers load no database (docs/adr/0011)
    from rule_store.registry import Registry

RegistryOption = Annotated[
    str | None,
    typer.Option(
        "--registry",
        help="A SQLite file, or postgresql://…; passwords rather in KDSL_REGISTRY or KDSL_CONFIG, "
        "where others do not see them. (env: KDSL_REGISTRY; default: "
        "~/.local/share/kdsl/registry.db)",
        metavar="FILE|URL",
    ),
]
KeyOption = Annotated[
    Path | None,
    typer.Option("--key", metavar="FILE", help="Private key (PEM) to sign with; see `kdsl keys`."),
]
TrustOption = Annotated[
    Path | None,
    typer.Option(
        "--trust",
        metavar="PATH",
        help="The workers' trust store, a folder or file. (env: KDSL_TRUST)",
    ),
]
ByOption = Annotated[
    str | None,
    typer.Option("--by", metavar="NAME", help="Who does it, for the record. (default: your login)"),
]
Named = Annotated[
    str,
    typer.Argument(
        metavar="DIGEST|FILE",
        help="A release: the first digits of its digest (six or more), or a file.",
    ),
]


def open_registry(settings: Settings) -> Registry:
    """The registry of the settings; close it, or use it as a context.

    Raises:
        RegistryError: it cannot be opened.
    """
    from rule_store.registry import Registry, default_registry_path

    return Registry.open(settings.registry or default_registry_path())


def trusted(settings: Settings) -> TrustStore | None:
    """The trust store of the settings, if one is configured.

    Raises:
        KeyRefused: it cannot be read, or holds no key.
    """
    return None if settings.trust is None else TrustStore.load(settings.trust)


def who(by: str | None) -> str:
    """Who gives the command.

    Raises:
        InvalidSettings: the login has no name, as in some containers.
    """
    try:
        return by or getpass.getuser()
    except (OSError, KeyError) as error:
        raise InvalidSettings("your login has no name here: say who you are with --by") from error


def domain_name(settings: Settings) -> str:
    """The name of the settings' domain, which may be given as a pack's folder."""
    folder = Path(settings.domain)
    return load_domain(folder).name if folder.is_dir() else settings.domain


@dataclass(frozen=True, slots=True, kw_only=True)
class NamedRelease:
    """A release that somebody named.

    file: where it was read from; None when it was found in the registry.
    """

    signed: Signed
    file: Path | None

    @property
    def digest(self) -> str:
        return digest(self.signed.content)


def find_release(name: str, registry: Registry) -> NamedRelease:
    """The release of a file, if there is one of this name, or else of the registry.

    Raises:
        UnknownRelease: the registry has none of this digest, or several.
        ReleaseRefused: neither a file nor digits of a digest, or the file is no release.
    """
    return _of_file(name) or NamedRelease(signed=registry.signed(name), file=None)


def _of_file(name: str) -> NamedRelease | None:
    """The release of a file; None when the name may be that of a release in a registry."""
    file = Path(name)
    if file.is_file():
        return NamedRelease(signed=read_release_file(file), file=file)
    if digest_digits(name) is None:
        raise ReleaseRefused(
            f"{name} is neither a file nor six or more digits of a digest: see what there is with "
            "`kdsl release list`"
        )
    return None


def read_release_file(file: Path) -> Signed:
    """The release of a file, as `kdsl release build --out` writes it.

    Raises:
        ReleaseRefused: it cannot be read, or is no release.
    """
    try:
        return signed_from_bytes(file.read_bytes())
    except OSError as error:
        raise ReleaseRefused(f"{file} cannot be read: {error.strerror}") from error
    except InvalidEnvelope as error:
        raise ReleaseRefused(f"{file} is no release file: {error}") from error


def find_anywhere(name: str, settings: Settings) -> NamedRelease:
    """Likewise, without a registry when it is a file: who only looks at one may have none."""
    if (named := _of_file(name)) is not None:
        return named
    with open_registry(settings) as registry:
        return find_release(name, registry)


def is_known(digest: str, registry: Registry) -> bool:
    try:
        registry.release(digest)
    except UnknownRelease:
        return False
    return True


def register(named: NamedRelease, registry: Registry, wanted: Wanted) -> None:
    """Put a release of a file into the registry, if it is not there, with the signatures that fit.

    Those take the place of others of the same key. Where nobody's signatures count, none can be
    verified, and all are kept as they are.

    Raises:
        ReleaseRefused, Untrusted: workers would refuse it; nothing is put there.
        RegistryConflict: it is there with another signature of a key that cannot be verified.
    """
    if named.file is None:
        return
    if not is_known(named.digest, registry):
        refuse_untrusted(named.signed, wanted)
        say(f"release {named.digest} of {named.file} goes into the registry")
    fitting = _fitting(named.signed, wanted.counted)
    verified = () if wanted.counted is None else [each.key_id for each in fitting.signatures]
    registry.add_release(fitting, by=wanted.by, at_ms=wanted.at_ms, verified=verified)


def _fitting(signed: Signed, trust: TrustStore | None) -> Signed:
    """A release with those signatures alone that are known to be right."""
    if trust is None:
        return signed
    alone = [replace(signed, signatures=(each,)) for each in signed.signatures]
    fitting = [each for each in alone if _is_trusted(each, trust)]
    return replace(signed, signatures=tuple(each.signatures[0] for each in fitting))


def _is_trusted(signed: Signed, trust: TrustStore) -> bool:
    try:
        trust.verify(signed, "release")
    except Untrusted:
        return False
    return True
