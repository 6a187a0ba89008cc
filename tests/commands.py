"""`kdsl` in this process: what a person sees of it, without the second that a new one takes."""

import io
import logging
import sys
from contextlib import redirect_stderr, redirect_stdout
from subprocess import CompletedProcess

import pytest

from streams.cli import main


def kdsl(*arguments: object, **environment: str) -> CompletedProcess[str]:
    """Run a command to its end; its exit status and all that it said."""
    argv = ["kdsl", *map(str, arguments)]
    out, err = io.StringIO(), io.StringIO()
    client = logging.getLogger("aiokafka")
    level = client.level
    with pytest.MonkeyPatch.context() as patch, redirect_stdout(out), redirect_stderr(err):
        patch.setattr(sys, "argv", argv)
        for name, value in environment.items():
            patch.setenv(name, value)
        try:
            main()
            status: object = 0
        except SystemExit as ended:
            status = ended.code or 0
        finally:
            client.setLevel(level)
    assert isinstance(status, int), status
    return CompletedProcess(argv, status, out.getvalue(), err.getvalue())
