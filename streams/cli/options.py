"""Options that several commands share, each said once."""

from pathlib import Path
from typing import Annotated

import typer

Bootstrap = Annotated[
    str | None,
    typer.Option(
        metavar="HOST:PORT",
        help="Kafka's host:port. TLS and passwords come from KDSL_SECURITY, KDSL_TLS_… and "
        "KDSL_SASL_…, or KDSL_CONFIG. (env: KDSL_BOOTSTRAP; default: 127.0.0.1:9092)",
    ),
]
Prefix = Annotated[
    str | None,
    typer.Option(
        metavar="TEXT",
        help="Before every topic and consumer group. (env: KDSL_PREFIX; default: none)",
    ),
]
DomainName = Annotated[
    str | None,
    typer.Option(
        "--domain",
        metavar="NAME|FOLDER",
        help="A pack's name or folder. (env: KDSL_DOMAIN; default: storefront)",
    ),
]
_VIEWS = "live leaves out what an agent said after the last user turn; recorded keeps it."
ViewOption = Annotated[
    str | None,
    typer.Option("--view", help=f"{_VIEWS} (default: live)", metavar="live|recorded"),
]
SourceViewOption = Annotated[
    str | None,
    typer.Option(
        "--view",
        help=f"{_VIEWS} (default: recorded for a folder, live otherwise)",
        metavar="live|recorded",
    ),
]
ReadingsOption = Annotated[
    str | None,
    typer.Option(
        "--readings",
        help="given takes the dataset's ocr.jsonl; own reads afresh. "
        "(default: given where there is an ocr.jsonl)",
        metavar="given|own",
    ),
]
ExamplesOption = Annotated[
    list[Path],
    typer.Option(
        "--examples",
        metavar="PATH",
        help="Labelled dialogues: a .jsonl or a folder; may be repeated.",
    ),
]
BundleOption = Annotated[
    Path | None,
    typer.Option(
        "--bundle",
        metavar="FOLDER",
        help="The model's directory. (env: KDSL_BUNDLE; default: none)",
    ),
]
Threads = Annotated[
    int | None,
    typer.Option(
        metavar="N", help="CPU threads of model and reader. (env: KDSL_THREADS; default: 2)"
    ),
]
Json = Annotated[bool, typer.Option("--json", help="One JSON object a line.")]
_MOMENT = "Since when: ISO 8601, or how long ago: 90s, 15m, 2h, 1d."
FromNow = Annotated[
    str | None, typer.Option("--from", help=f"{_MOMENT} (default: from now on)", metavar="WHEN")
]
FromBeginning = Annotated[
    str | None,
    typer.Option("--from", help=f"{_MOMENT} (default: all that are there)", metavar="WHEN"),
]
