"""`kdsl keys`: keys to sign with, and the trust store of those who are believed."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.box import SIMPLE_HEAD
from rich.table import Column, Table

from rule_store import key_id, new_key, public_keys, public_path
from streams.cli.release_options import RegistryOption, TrustOption, open_registry
from streams.cli.release_tables import moment
from streams.cli.terminal import printable, say, stdout
from streams.errors import InvalidSettings
from streams.registering import in_force
from streams.settings import Settings, load_settings
from streams.trust_folder import InForce, retire_key, trust_key, trusted_keys

if TYPE_CHECKING:  # see `open_registry`
    from rule_store.registry import Registry

app = typer.Typer(no_args_is_help=True, help="Make keys, and say whose signatures count.")


@app.command("generate")
def generate(
    path: Annotated[Path, typer.Argument(help="Where to write the private key.")],
) -> None:
    """Make a key to sign with, and beside it the public key for the workers' trust store."""
    path.parent.mkdir(parents=True, exist_ok=True)
    made = new_key(path)
    say(
        f"key {key_id(made.public_key())}: keep {path} to yourself, and let workers trust "
        f"{public_path(path)}, with `kdsl keys trust`"
    )


@app.command("list")
def list_keys(trust: TrustOption = None) -> None:
    """List the keys of the trust store."""
    names = ("key", "file", "since")
    table = Table(*(Column(name, overflow="fold") for name in names), box=SIMPLE_HEAD)
    for each in trusted_keys(_store(load_settings({"trust": trust}))):
        table.add_row(each.id, printable(str(each.file)), moment(each.since_ms))
    stdout().print(table)


@app.command("trust")
def trust_public(
    public: Annotated[Path, typer.Argument(help="A public key (.pub.pem), or several in a file.")],
    trust: TrustOption = None,
) -> None:
    """Let a key's signatures count: workers that use the folder see it before they next verify."""
    folder = _store(load_settings({"trust": trust}))
    for key in public_keys(public):
        file = trust_key(folder, key)
        done = f"is trusted now: {file}" if file else f"is trusted already by {folder}"
        say(f"key {key_id(key)} {done}")


@app.command("retire")
def retire(
    name: Annotated[str, typer.Argument(metavar="KEY_ID", help="See `kdsl keys list`.")],
    trust: TrustOption = None,
    registry: RegistryOption = None,
) -> None:
    """Let a key's signatures count no longer; what is in force must be trusted without it."""
    settings = load_settings({"trust": trust, "registry": registry})
    folder = _store(settings)
    with open_registry(settings) as opened:
        moved = retire_key(folder, name, _in_force(opened))
        place = opened.place
    say(
        f"key {moved.stem} is retired to {moved}: what it alone signs is refused from now on. What "
        f"{place} has in force is trusted without it; other registries were not asked"
    )


def _in_force(registry: "Registry") -> list[InForce]:
    return [
        InForce(
            domain=row.activation.domain,
            digest=row.activation.digest,
            release=registry.signed(row.activation.digest),
            envelope=row.envelope,
        )
        for row in in_force(registry)
    ]


def _store(settings: Settings) -> Path:
    if settings.trust is None:
        raise InvalidSettings("which trust store? Name its folder with --trust or KDSL_TRUST")
    return settings.trust
