"""Ctrl-C at any moment stops all that the demo started."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.conftest import DemoRun
from tests.left_behind import nothing_left_behind

pytestmark = pytest.mark.kafka


@pytest.mark.parametrize(
    "moment",
    [
        "reading the sample's training dialogues",
        "starting Kafka",
        "starting tagger",
        "sending",
    ],
)
def test_ctrl_c_leaves_no_process(moment: str, tmp_path: Path, demo_run: DemoRun) -> None:
    folder = tmp_path / "demo"
    if "reading" not in moment:
        folder = demo_run.folder
    log = tmp_path / "log"
    with nothing_left_behind(str(folder)), log.open("wb") as output:
        demo = subprocess.Popen(
            [sys.executable, "-m", "streams.cli", "demo", "--data", str(folder)],
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
        _until_said(moment, log, demo)
        time.sleep(0.5)
        os.killpg(demo.pid, signal.SIGINT)  # as a terminal does: to the whole foreground group
        assert demo.wait(timeout=40) == 130, log.read_text()


def _until_said(sentence: str, log: Path, demo: "subprocess.Popen[bytes]") -> None:
    deadline = time.monotonic() + 120
    while sentence not in log.read_text():
        assert demo.poll() is None, log.read_text()
        assert time.monotonic() < deadline, log.read_text()
        time.sleep(0.02)
