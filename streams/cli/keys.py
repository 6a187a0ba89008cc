"""`kdsl keys`: keys to sign with, and the trust store of those who are believed."""

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.box import SIMPLE_HEAD
from rich.table import Column, Table

from rule_store import (
    ACTIVATION_BYTES,
    KeyRefused,
    TrustStore,
    key_id,
    new_key,
    public_keys,
    public_path,
    signed_from_bytes,
)
from streams.cli.options import Bootstrap, Prefix
from streams.cli.release_options import RegistryOption, TrustOption, open_registry
from streams.cli.release_tables import moment
from streams.cli.terminal import printable, say, stdout
from streams.errors import BrokerUnreachable, InvalidSettings, TopicMissing
from streams.published import Published
from streams.publishing import KafkaReleaseTopic
from streams.registering import in_force
from streams.settings import Settings, load_settings
from streams.trust_folder import (
    InForce,
    find_key,
    retire_key,
    trust_key,
    trusted_keys,
    trusted_signers,
)

if TYPE_CHECKING:  # see `open_registry`
    from rule_store.registry import Registry

app = typer.Typer(no_args_is_help=True, help="Make keys, and say whose signatures count.")


@app.command("generate")
def generate(
    path: Annotated[Path, typer.Argument(help="Where to write the private key.")],
) -> None:
    """Make a key to sign with, and beside it the public key for the workers' trust store."""
    if path.exists():  # of the two halves, the one that was named
        raise KeyRefused(str(path), "exists; keys are never overwritten, name another")
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
    bootstrap: Bootstrap = None,
    prefix: Prefix = None,
    registry_only: Annotated[
        bool,
        typer.Option(
            "--registry-only",
            help="Do not ask Kafka; what was signed and never published goes unnoticed.",
        ),
    ] = False,
) -> None:
    """Let a key's signatures count no longer; what runs must be trusted without it.

    Both registry and topic, which is what workers read, are asked what is in force and in shadow.
    """
    given = {"trust": trust, "registry": registry, "bootstrap": bootstrap, "prefix": prefix}
    settings = load_settings(given)
    folder = _store(settings)
    find_key(folder, name)  # what is named in vain is said before anybody else is asked
    store = TrustStore.load(folder)
    with open_registry(settings) as opened:
        found = _in_force(opened, store)
        place = opened.place
    if not registry_only:
        found += asyncio.run(_in_force_in_topic(settings, store))
    moved = retire_key(folder, name, found)
    asked = place if registry_only else f"{place} and Kafka at {settings.bootstrap}"
    left = (
        "Kafka was not asked" if registry_only else "other registries and clusters were not asked"
    )
    say(
        f"key {moved.stem} is retired to {moved}: what it alone signs is refused from now on. What "
        f"is in force by {asked} is trusted without it; {left}"
    )


def _in_force(registry: "Registry", trust: TrustStore) -> list[InForce]:
    return [
        InForce(
            domain=row.activation.domain,
            digest=row.activation.digest,
            shadow=row.activation.shadow,
            place="registry",
            release_signers=_signers(registry, row.activation.digest, trust),
            shadow_signers=_signers(registry, row.activation.shadow, trust),
            activation_signers=trusted_signers(
                trust,
                signed_from_bytes(row.envelope, content_bytes=ACTIVATION_BYTES),
                "activation",
            ),
        )
        for row in in_force(registry)
    ]


def _signers(registry: "Registry", name: str | None, trust: TrustStore) -> frozenset[str]:
    if name is None:
        return frozenset()
    return trusted_signers(trust, registry.signed(name), "release")


async def _in_force_in_topic(settings: Settings, trust: TrustStore) -> list[InForce]:
    topic = KafkaReleaseTopic(settings.cluster, prefix=settings.prefix)
    try:
        published = await topic.read(trust)
    except (BrokerUnreachable, TopicMissing) as error:
        raise type(error)(
            f"{error}; or go by the registry alone, with --registry-only, and what was signed and "
            "never published goes unnoticed"
        ) from error
    return [
        InForce(
            domain=each.activation.domain,
            digest=each.activation.digest,
            shadow=each.activation.shadow,
            place="topic",
            release_signers=_published_signers(published, each.activation.digest),
            shadow_signers=_published_signers(published, each.activation.shadow),
            activation_signers=each.trusted,
        )
        for each in published.in_force.values()
    ]


def _published_signers(published: Published, name: str | None) -> frozenset[str]:
    release = None if name is None else published.release(name)
    return frozenset() if release is None else release.trusted


def _store(settings: Settings) -> Path:
    if settings.trust is None:
        raise InvalidSettings("which trust store? Name its folder with --trust or KDSL_TRUST")
    return settings.trust
