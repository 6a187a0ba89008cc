"""Groups of `kdsl` commands, run in this process; what they refuse with is kept as raised."""

from dataclasses import dataclass
from pathlib import Path

from typer.testing import CliRunner, Result

from rule_store import key_id, load_key
from streams.cli.main import app


@dataclass(frozen=True, slots=True, kw_only=True)
class Commands:
    """Those of a group, such as `release`; their tables need not fold."""

    group: str

    def run(self, *arguments: str | Path) -> Result:
        words = [self.group, *map(str, arguments)]
        return CliRunner().invoke(app, words, env={"COLUMNS": "200"})

    def ran(self, *arguments: str | Path) -> str:
        """All that a command says; it must succeed."""
        result = self.run(*arguments)
        assert result.exit_code == 0, (result.output, result.exception)
        return result.output

    def refused(self, kind: type[Exception], *arguments: str | Path) -> str:
        """What a command refuses with; exit status 1."""
        result = self.run(*arguments)
        assert result.exit_code == 1
        assert isinstance(result.exception, kind), result.exception
        return str(result.exception)


def id_of(key: Path) -> str:
    """The id of a private key's public half."""
    return key_id(load_key(key).public_key())
