"""Children are named, logged, restarted when asked, and never left behind."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from streams.processes import Backoff, ProcessGroup

PATIENCE_S = 30.0
SLEEP = "import time; print('up', flush=True); time.sleep(600)"
STUBBORN = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); " + SLEEP
POLITE = (
    "import signal, sys; signal.signal(signal.SIGTERM, lambda *_: sys.exit(7));"
    "print('up', flush=True); signal.pause()"
)
WITH_GRANDCHILD = (
    "import subprocess, sys; c = subprocess.Popen(['sleep', '600']);"
    "print('grandchild', c.pid, flush=True); c.wait()"
)


def python(code: str) -> list[str]:
    return [sys.executable, "-c", code]


def wait_until(condition: Callable[[], object]) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.01)


def runs(pid: int) -> bool:
    """Whether a process exists and is not merely waiting to be collected."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return False
    return stat.rpartition(")")[2].split()[0] not in ("Z", "X")


def grandchild_in(log: Path) -> int:
    """The pid that WITH_GRANDCHILD reports, once its line is whole."""
    wait_until(lambda: log.exists() and log.read_text().endswith("\n"))
    return int(log.read_text().split()[1])


@pytest.fixture
def group(tmp_path: Path) -> Iterator[ProcessGroup]:
    quick = Backoff(first_s=0.01, longest_s=0.02, steady_s=1000)
    with ProcessGroup(tmp_path / "logs", stop_within_s=PATIENCE_S, backoff=quick) as group:
        yield group


def test_output_of_both_kinds_goes_to_the_log(group: ProcessGroup) -> None:
    code = "import sys; print('said', flush=True); print('complained', file=sys.stderr)"
    group.start("talker", python(code))
    assert group.wait("talker", PATIENCE_S) == 0
    assert group.log_tail("talker") == "said\ncomplained"
    assert group.log_tail("talker", lines=1) == "complained"


def test_environment_folder_and_pid_are_the_commands_own(
    group: ProcessGroup, tmp_path: Path
) -> None:
    code = "import os; print(os.getpid(), os.environ.get('COLOUR'), os.getcwd())"
    env = {"PATH": os.environ["PATH"], "COLOUR": "green"}
    pid = group.start("asker", python(code), env=env, cwd=tmp_path)
    group.wait("asker", PATIENCE_S)
    assert group.log_tail("asker") == f"{pid} green {tmp_path}"


@pytest.mark.parametrize(
    ("code", "status"),
    [
        ("", 0),
        ("raise SystemExit(3)", 3),
        ("import os, signal; os.kill(os.getpid(), signal.SIGKILL)", -signal.SIGKILL),
        ("import os, signal; os.kill(os.getpid(), signal.SIGTERM)", -signal.SIGTERM),
    ],
)
def test_the_exit_status_is_the_commands_own(group: ProcessGroup, code: str, status: int) -> None:
    group.start("ender", python(code))
    assert group.wait("ender", PATIENCE_S) == status
    assert not group.alive("ender")


def test_a_program_that_does_not_exist_is_named(group: ProcessGroup) -> None:
    with pytest.raises(FileNotFoundError, match="no-such-program"):
        group.start("nobody", ["no-such-program"])


def test_a_program_that_cannot_be_run_says_so_in_the_log(
    group: ProcessGroup, tmp_path: Path
) -> None:
    broken = tmp_path / "broken"
    broken.write_bytes(b"\x00not a program")
    broken.chmod(0o755)
    group.start("broken", [str(broken)])
    assert group.wait("broken", PATIENCE_S) == 127
    assert "Exec format error" in group.log_tail("broken")


def test_stopping_gives_the_command_the_time_to_end_cleanly(group: ProcessGroup) -> None:
    group.start("polite", python(POLITE))
    wait_until(lambda: group.log_tail("polite"))
    group.stop("polite")
    assert group.status("polite") == 7


def test_stopping_kills_what_does_not_end_in_time(tmp_path: Path) -> None:
    with ProcessGroup(tmp_path, stop_within_s=0.05) as group:
        group.start("stubborn", python(STUBBORN))
        wait_until(lambda: group.log_tail("stubborn"))
        group.stop()
        assert group.status("stubborn") == -signal.SIGKILL


@pytest.mark.parametrize("attempt", range(10))
def test_a_process_stopped_right_after_its_start_ends_at_once(tmp_path: Path, attempt: int) -> None:
    """A SIGTERM between fork and exec was lost: stopping then took the whole bound."""
    with ProcessGroup(tmp_path, stop_within_s=PATIENCE_S) as group:
        group.start("early", ["sleep", "600"])
        group.stop()
        assert group.status("early") == -signal.SIGTERM


def test_stopping_ends_what_a_command_left_behind(group: ProcessGroup) -> None:
    group.start("parent", python(WITH_GRANDCHILD))
    grandchild = grandchild_in(group.log_path("parent"))
    assert runs(grandchild)
    group.stop()
    wait_until(lambda: not runs(grandchild))


def test_killing_ends_the_command_and_what_it_started(group: ProcessGroup) -> None:
    pid = group.start("parent", python(WITH_GRANDCHILD))
    grandchild = grandchild_in(group.log_path("parent"))
    group.kill("parent")
    assert group.status("parent") == -signal.SIGKILL
    assert not runs(pid)
    wait_until(lambda: not runs(grandchild))


def test_a_killed_process_is_started_again_when_asked_for(group: ProcessGroup) -> None:
    first = group.start("worker", python(SLEEP), restart=True)
    group.kill("worker")
    wait_until(lambda: group.restarts("worker") == 1)
    assert group.alive("worker")
    assert group.pid("worker") != first
    with pytest.raises(ValueError, match="stop it first"):
        group.start("worker", python(SLEEP))


def test_a_process_is_not_started_again_when_not_asked_for(group: ProcessGroup) -> None:
    group.start("worker", python(SLEEP))
    group.kill("worker")
    assert not group.alive("worker")
    group.start("worker", python(SLEEP))
    assert group.alive("worker")
    assert group.restarts("worker") == 0


def test_one_that_ends_at_once_is_started_again_and_again_until_stopped(
    group: ProcessGroup,
) -> None:
    group.start("flapper", python("raise SystemExit(1)"), restart=True)
    wait_until(lambda: group.restarts("flapper") >= 2)
    group.stop("flapper")
    restarts = group.restarts("flapper")
    assert not group.alive("flapper")
    time.sleep(0.1)  # five times the longest wait
    assert group.restarts("flapper") == restarts


def test_a_stopped_group_starts_nothing(group: ProcessGroup) -> None:
    group.stop()
    with pytest.raises(RuntimeError, match="stopped"):
        group.start("late", python(SLEEP))


def test_stopping_one_leaves_the_others_alone(group: ProcessGroup) -> None:
    group.start("one", python(SLEEP))
    group.start("other", python(SLEEP))
    group.stop("one")
    assert not group.alive("one")
    assert group.alive("other")
    assert group.names() == ("one", "other")


# Starts the children in a thread that ends at once: their life must not hang on that thread.
OWNER = """
import sys, threading
from pathlib import Path
from streams.processes import ProcessGroup
group = ProcessGroup(Path(sys.argv[1]))
sleep = [sys.executable, "-c", sys.argv[2]]
def start():
    group.start("first", sleep, restart=True)
    group.start("second", [sys.executable, "-c", sys.argv[3]])
starter = threading.Thread(target=start)
starter.start(); starter.join()
print(group.pid("first"), group.pid("second"), flush=True)
sys.stdin.read()
assert group.alive("first") and group.alive("second"), "ended with the thread that started it"
if sys.argv[4] == "leave":
    sys.exit(0)
print("still alive", flush=True)
sys.stdin.close()
threading.Event().wait()
"""


@pytest.mark.parametrize("end", ["kill", "leave"])
def test_no_child_outlives_its_owner(tmp_path: Path, end: str) -> None:
    """`kill`: the owner gets SIGKILL. `leave`: it ends without stopping its group."""
    command = [sys.executable, "-c", OWNER, str(tmp_path), STUBBORN, WITH_GRANDCHILD, end]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as owner:
        assert owner.stdin is not None
        assert owner.stdout is not None
        pids = [int(pid) for pid in owner.stdout.readline().split()]
        pids.append(grandchild_in(tmp_path / "second.log"))
        assert all(runs(pid) for pid in pids)
        owner.stdin.close()
        if end == "kill":
            assert owner.stdout.readline() == "still alive\n"
            owner.kill()
        owner.wait(PATIENCE_S)
    assert len(pids) == 3
    wait_until(lambda: not any(runs(pid) for pid in pids))


def test_a_command_dies_with_its_guard(group: ProcessGroup) -> None:
    """The guard is a process like any other: the kernel may choose it when memory is short."""
    pid = group.start("worker", python(SLEEP))
    stat = Path(f"/proc/{pid}/stat").read_text()
    guard = int(stat.rpartition(")")[2].split()[1])
    os.kill(guard, signal.SIGKILL)
    wait_until(lambda: not runs(pid))
    assert group.wait("worker", PATIENCE_S) == -signal.SIGKILL
