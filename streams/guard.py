"""Run one command that dies, with all it started, when the process that asked for it is gone.

Usage: `python -I -S guard.py OWNER_PID COMMAND [ARGUMENT...]`; imports the standard library only.

The owner's end of stdin is the lifeline: when it closes, however the owner ended, the command's
process group is killed. While open it takes orders, one byte each, the number of a signal: SIGKILL
goes to the whole group, any other to the command alone. The command's pid is the only line on
stdout. Stderr is the command's stdout and stderr. The exit status is the command's own.

Why a process and not `PR_SET_PDEATHSIG` in the owner's child: that signal follows the *thread*
that forked, and the owner starts children from short-lived threads. This process has one thread,
so here the signal is sound; it covers the guard being killed itself. Being the command's parent it
also knows a pid is not reused before it has been waited for, so no signal hits a stranger.
"""

import contextlib
import ctypes
import os
import resource
import select
import signal
import sys
from collections.abc import Sequence

_PR_SET_PDEATHSIG = 1
_LOOK_FOR_OWNER_S = 0.5
# Not for the guard, which takes orders over stdin and outlives the command. Blocked and not
# ignored: one that reaches the command before it has become its program must not be lost.
_HELD_BACK = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
# Python changes what these do; a program expects them as they were.
_CHANGED = (signal.SIGINT, signal.SIGCHLD, signal.SIGPIPE, signal.SIGXFSZ)


def main(arguments: Sequence[str]) -> int:
    owner, command = int(arguments[0]), list(arguments[1:])
    signal.pthread_sigmask(signal.SIG_BLOCK, _HELD_BACK)
    child_ended = _wakeup_on_child_end()
    child = _spawn(command)
    os.write(1, b"%d\n" % child)
    os.close(1)
    _watch(child, owner, child_ended)
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(child, signal.SIGKILL)  # what the command left behind in its group
    _, status = os.waitpid(child, 0)
    return _end_like(status)


def _wakeup_on_child_end() -> int:
    reading_end, writing_end = os.pipe()
    os.set_blocking(writing_end, False)
    signal.set_wakeup_fd(writing_end, warn_on_full_buffer=False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    return reading_end


def _spawn(command: list[str]) -> int:
    guard = os.getpid()
    prctl = getattr(ctypes.CDLL(None), "prctl", None)  # Linux only; stdin still guards elsewhere
    child = os.fork()
    if child == 0:
        try:
            os.setpgid(0, 0)
            if prctl is not None:
                prctl(_PR_SET_PDEATHSIG, int(signal.SIGKILL), 0, 0, 0)
            if os.getppid() == guard:
                _become(command)
        except OSError as error:
            os.write(2, f"cannot run {command[0]}: {error.strerror}\n".encode())
        finally:
            os._exit(127)
    with contextlib.suppress(OSError):  # both sides set it: whoever is first, the group exists
        os.setpgid(child, child)
    return child


def _become(command: list[str]) -> None:
    for signal_number in _CHANGED:
        signal.signal(signal_number, signal.SIG_DFL)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    os.dup2(2, 1)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, _HELD_BACK)
    os.execvp(command[0], command)  # noqa: S606  no shell is wanted


def _watch(child: int, owner: int, child_ended: int) -> None:
    """Pass on orders until the command has ended."""
    orders = [0]
    while os.waitid(os.P_PID, child, os.WEXITED | os.WNOHANG | os.WNOWAIT) is None:
        ready, _, _ = select.select([*orders, child_ended], [], [], _LOOK_FOR_OWNER_S)
        if child_ended in ready:
            os.read(child_ended, 512)
        if 0 in ready:
            order = os.read(0, 1)
            _send(child, order[0] if order else signal.SIGKILL)
            if not order:
                orders.clear()
        elif os.getppid() != owner:  # a forked copy of the owner can hold stdin open
            _send(child, signal.SIGKILL)


def _send(child: int, signal_number: int) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        if signal_number == signal.SIGKILL:
            os.killpg(child, signal_number)
        else:
            os.kill(child, signal_number)


def _end_like(status: int) -> int:
    if os.WIFSIGNALED(status):
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        cause = os.WTERMSIG(status)
        if cause != signal.SIGKILL:
            signal.signal(cause, signal.SIG_DFL)
        os.kill(os.getpid(), cause)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {cause})
    return os.waitstatus_to_exitcode(status)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
