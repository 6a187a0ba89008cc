"""`kdsl release registry`: the schema of the registry."""

from pathlib import Path
from typing import Annotated

import typer

from streams.cli.release_options import RegistryOption
from streams.cli.terminal import say
from streams.settings import load_settings

app = typer.Typer(no_args_is_help=True, help="Bring the registry's tables to another schema.")


@app.command("upgrade")
def upgrade(registry: RegistryOption = None) -> None:
    """Make the tables in an empty database, or bring older ones to this kdsl's schema."""
    from rule_store.registry import Registry
    from rule_store.registry import upgrade as upgrade_registry

    place = _place(registry)
    upgrade_registry(place)
    with Registry.open(place) as opened:
        say(f"registry {opened.place} has the schema of this kdsl")


@app.command("downgrade")
def downgrade(
    revision: Annotated[str, typer.Argument(help="An older schema: 0001, or base for none.")],
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


def _place(registry: str | None) -> str | Path:
    from rule_store.registry import default_registry_path

    return load_settings({"registry": registry}).registry or default_registry_path()
