"""`kdsl release sign | verify`: whose word a release has."""

import os
from pathlib import Path
from typing import Annotated

import typer

from rule_store import Activation, Signed, cosign, key_id, load_key, read_release, signed_to_bytes
from streams.cli.release_options import (
    ByOption,
    Named,
    RegistryOption,
    TrustOption,
    find_anywhere,
    find_release,
    is_known,
    open_registry,
    trusted,
    who,
)
from streams.cli.terminal import say
from streams.errors import InvalidSettings
from streams.registering import in_force
from streams.role import system_now_ms
from streams.settings import load_settings


def sign(
    name: Named,
    key: Annotated[
        Path, typer.Option("--key", metavar="FILE", help="Private key (PEM) to sign with.")
    ],
    by: ByOption = None,
    registry: RegistryOption = None,
) -> None:
    """Sign a release beside those who have; its digest stays.

    A FILE is written anew, and likewise what the registry has of the same release.
    """
    settings = load_settings({"registry": registry})
    signer, person = load_key(key), who(by)
    with open_registry(settings) as opened:
        named = find_release(name, opened)
        read_release(named.signed.content)  # nobody should sign what is no release
        signed = cosign(named.signed, signer, "release")
        places = []
        if named.file is not None:
            _write(named.file, signed)
            places.append(str(named.file))
        if named.file is None or is_known(named.digest, opened):
            own = key_id(signer.public_key())
            opened.add_release(signed, by=person, at_ms=system_now_ms(), verified=[own])
            places.append("the registry")
        activations = [row.activation for row in in_force(opened)]
    signers = ", ".join(each.key_id for each in signed.signatures)
    say(f"release {named.digest} in {' and '.join(places)} is signed by {signers}")
    if "the registry" in places:
        _say_standing(named.digest, activations)


def _say_standing(digest: str, activations: list[Activation]) -> None:
    """Say what is to be done when workers read the release from the topic."""
    standings = {each.shadow: "in shadow" for each in activations}
    standings |= {each.digest: "active" for each in activations}
    if digest in standings:
        say(
            f"it is {standings[digest]}: run `kdsl release sync`, so that workers that start find "
            "the signature"
        )


def verify(name: Named, trust: TrustOption = None, registry: RegistryOption = None) -> None:
    """Say which trusted keys signed a release; exit status 1 when none did."""
    settings = load_settings({"trust": trust, "registry": registry})
    store = trusted(settings)
    if store is None:
        raise InvalidSettings("whose signature shall count? Name the public keys with --trust")
    named = find_anywhere(name, settings)
    signers = store.verify(named.signed, "release")
    release = read_release(named.signed.content)
    say(f"release {named.digest} for {release.domain} is signed by {', '.join(signers)}: trusted")
    unknown = [each.key_id for each in named.signed.signatures if each.key_id not in signers]
    if unknown:
        say(f"also signed by {', '.join(unknown)}, whom {settings.trust} does not hold")


def _write(file: Path, signed: Signed) -> None:
    """Put the new file in the place of the old one at once, so that nobody reads a half."""
    written = file.with_name(f".{file.name}.{os.getpid()}")
    written.write_bytes(signed_to_bytes(signed))
    written.replace(file)
