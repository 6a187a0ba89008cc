"""`kdsl release`: build, sign, compare and activate releases; look after the registry."""

import typer

from streams.cli import release_registry
from streams.cli.release_activate import activate, rollback, sync
from streams.cli.release_build import build
from streams.cli.release_history import history
from streams.cli.release_shadow import shadow
from streams.cli.release_show import diff, list_releases, show
from streams.cli.release_sign import sign, verify
from streams.cli.release_status import status

app = typer.Typer(
    no_args_is_help=True, help="Build, sign, compare, activate and roll back releases of rules."
)
app.command("build")(build)
app.command("sign")(sign)
app.command("verify")(verify)
app.command("list")(list_releases)
app.command("show")(show)
app.command("diff")(diff)
app.command("activate")(activate)
app.command("rollback")(rollback)
app.command("history")(history)
app.command("sync")(sync)
app.command("status")(status)
app.command("shadow")(shadow)
app.add_typer(release_registry.app, name="registry")
