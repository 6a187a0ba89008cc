"""Options that several commands share, each said once."""

from pathlib import Path
from typing import Annotated

import typer

Bootstrap = Annotated[
    str | None,
    typer.Option(
        help="Kafka's host:port. TLS and passwords come from KDSL_SECURITY, KDSL_TLS_… and "
        "KDSL_SASL_…, or KDSL_CONFIG. (env: KDSL_BOOTSTRAP; default: 127.0.0.1:9092)"
    ),
]
Prefix = Annotated[
    str | None, typer.Option(help="Before every topic and consumer group. (env: KDSL_PREFIX)")
]
DomainName = Annotated[
    str | None,
    typer.Option(
        "--domain", help="A pack's name or folder. (env: KDSL_DOMAIN; default: storefront)"
    ),
]
ViewOption = Annotated[
    str | None,
    typer.Option(
        "--view",
        help="live leaves out what an agent said after the last user turn; recorded keeps it.",
        metavar="live|recorded",
    ),
]
ReadingsOption = Annotated[
    str | None,
    typer.Option(
        "--readings",
        help="given takes the dataset's ocr.jsonl (default when there is one); own reads afresh.",
        metavar="given|own",
    ),
]
ExamplesOption = Annotated[
    list[Path],
    typer.Option("--examples", help="Labelled dialogues: a .jsonl or a folder; may be repeated."),
]
BundleOption = Annotated[
    Path | None, typer.Option("--bundle", help="The model's directory. (env: KDSL_BUNDLE)")
]
Threads = Annotated[
    int | None, typer.Option(help="CPU threads of model and reader. (env: KDSL_THREADS)")
]
Json = Annotated[bool, typer.Option("--json", help="One JSON object a line.")]
From = Annotated[
    str | None,
    typer.Option("--from", help="Since when: ISO 8601, or how long ago: 90s, 15m, 2h, 1d."),
]
