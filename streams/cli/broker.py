"""`kdsl broker`: a real single-node Kafka in the foreground."""

from pathlib import Path
from typing import Annotated

import platformdirs
import typer

from streams.cli.terminal import at_home, say, stoppable
from streams.local_broker import LocalBroker

_HOME = platformdirs.user_data_path("kdsl") / "broker"


def broker(
    folder: Annotated[
        Path | None,
        typer.Option("--data", help=f"Folder of its records. (default: {at_home(_HOME)})"),
    ] = None,
    port: Annotated[int, typer.Option(help="Where clients connect; 0 takes a free port.")] = 9092,
    heap_mb: Annotated[int, typer.Option(min=128, help="Java's heap in MiB.")] = 256,
    wipe: Annotated[bool, typer.Option("--wipe", help="Forget all records first.")] = False,
) -> None:
    """Start a real single-node Kafka on this machine; Ctrl-C stops it and keeps the records."""
    stoppable()
    node = LocalBroker(
        folder or _HOME,
        port=port,
        heap_mb=heap_mb,
        report=say,
    )
    if wipe:
        node.wipe()
    try:
        with node:
            say(f"Kafka answers at {node.bootstrap} (records in {node.folder}); Ctrl-C stops it")
            say(f"next: kdsl topics create --bootstrap {node.bootstrap}")
            status = node.wait()
            say(f"Kafka ended by itself; the end of its log ({node.log_path}):\n{node.log_tail()}")
    except KeyboardInterrupt:
        say("stopped; the records are kept")
        raise typer.Exit(0) from None
    raise typer.Exit(1 if status else 0)
