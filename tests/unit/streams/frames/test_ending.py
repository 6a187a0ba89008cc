"""A process that hangs ends, and its last words are read."""

import subprocess
import sys

HANGING = """
import logging, logging.handlers, sys, time
from streams.frames.ending import exit_hard_after
logging.getLogger().addHandler(
    logging.handlers.MemoryHandler(100, logging.CRITICAL, logging.StreamHandler(sys.stdout))
)
exit_hard_after({within_s})
{hang}
"""


def run(hang: str, *, within_s: float = 0.01) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-c", HANGING.format(hang=hang, within_s=within_s)],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def test_a_process_that_hangs_exits_with_1_and_what_it_logged_is_written() -> None:
    ended = run("time.sleep(600)")
    assert ended.returncode == 1
    assert ended.stdout == "not stopped within 0.01 s: exiting hard; nothing is lost by it\n"


def test_a_log_that_nobody_takes_does_not_hold_the_exit_up() -> None:
    assert run("logging.getLogger().handlers[0].acquire(); time.sleep(600)").returncode == 1


def test_a_process_that_ends_by_itself_is_left_alone() -> None:
    assert run("", within_s=600).returncode == 0
