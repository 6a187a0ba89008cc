"""Where the files that travel with `kdsl` are: packs, sample dialogues, broker coordinates."""

from pathlib import Path


def deploy_folder() -> Path:
    """`deploy/` of a checkout, or its copy inside an installed wheel."""
    package = Path(__file__).parent
    installed = package / "deploy"
    return installed if installed.is_dir() else package.parent / "deploy"


def quickstart_folder() -> Path:
    return deploy_folder() / "quickstart"


def domain_folder(name: str) -> Path:
    return deploy_folder() / "domains" / name
