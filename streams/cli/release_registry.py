"""`kdsl release registry`: the schema of the registry, and where it belongs."""

import asyncio
from pathlib import Path
from typing import Annotated

import typer

from streams.cli.options import Bootstrap, Prefix
from streams.cli.release_options import ByOption, RegistryOption, open_registry, who
from streams.cli.terminal import say
from streams.publishing import KafkaReleaseTopic
from streams.role import system_now_ms
from streams.settings import load_settings

app = typer.Typer(
    no_args_is_help=True, help="The registry's tables, and the cluster that it belongs to."
)


@app.command("upgrade")
def upgrade(registry: RegistryOption = None) -> None:
    """Make the tables in an empty database, or bring older ones to this kdsl's schema."""
    from rule_store.registry import Registry
    from rule_store.registry import upgrade as upgrade_registry

    place = _place(registry)
    upgrade_registry(place)
    with Registry.open(place) as opened:
        say(f"registry {opened.place} has the schema of this kdsl")
        if opened.unbound:
            say(
                "it has activations and belongs nowhere yet: before the next one, or `sync`, say "
                "where with `kdsl release registry rebind`"
            )


@app.command("downgrade")
def downgrade(
    revision: Annotated[str, typer.Argument(help="An older schema: 0002, or base for none.")],
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    registry: RegistryOption = None,
) -> None:
    """Take the registry back to an older schema; what that cannot hold is lost."""
    from rule_store.registry import downgrade as downgrade_registry
    from rule_store.registry.place import RegistryPlace

    place = _place(registry)
    shown = RegistryPlace.of(place)
    if not yes:
        typer.confirm(f"What schema {revision} cannot hold is lost in {shown}. Go on?", abort=True)
    downgrade_registry(place, revision)
    say(f"registry {shown} has schema {revision} now")


@app.command("rebind")
def rebind(
    bootstrap: Bootstrap = None,
    prefix: Prefix = None,
    by: ByOption = None,
    registry: RegistryOption = None,
) -> None:
    """Let the registry belong to this cluster and prefix: they were made anew, or renamed."""
    given = {"bootstrap": bootstrap, "prefix": prefix, "registry": registry}
    settings, person = load_settings(given), who(by)
    topic = KafkaReleaseTopic(settings.cluster, prefix=settings.prefix)
    binding = asyncio.run(topic.binding())
    with open_registry(settings) as opened:
        before = opened.bind(binding, by=person, at_ms=system_now_ms())
        say(f"registry {opened.place} now belongs to {binding}; before: {before or 'nowhere yet'}")


def _place(registry: str | None) -> str | Path:
    from rule_store.registry import default_registry_path

    return load_settings({"registry": registry}).registry or default_registry_path()
