"""A small process that outlives the supervisor just long enough to end what that left behind: `python -m xorj.supervisor.keeper`.

The supervisor tells it on standard input which process groups run: `+PID` and `-PID`, one a line. When the input closes, because
the supervisor has ended in whatever way, the groups that still run are told to end, and are ended when they do not listen.
The kernel's parent-death signal reaches a direct child; this reaches its children too, and those that ignore the signal.
"""

import os
import signal
import sys
import time

import psutil

TERM_TIMEOUT_S = 5.0
POLL_S = 0.05


def keep() -> None:
    """Reads until the input closes, then ends what is left."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    groups: dict[int, float] = {}
    for line in sys.stdin:
        pid = int(line[1:])
        if line.startswith("+"):
            groups[pid] = _born(pid)
        else:
            groups.pop(pid, None)
    left = [group for group, born in groups.items() if born and _is_same(group, born)]
    for group in left:
        _signal(group, signal.SIGTERM)
    deadline = time.monotonic() + TERM_TIMEOUT_S
    while left and time.monotonic() < deadline:
        time.sleep(POLL_S)
        left = [group for group in left if _runs(group)]
    for group in left:
        _signal(group, signal.SIGKILL)


def _born(pid: int) -> float:
    """When the process was started, 0 when it is gone already."""
    try:
        return psutil.Process(pid).create_time()
    except psutil.Error:
        return 0.0


def _is_same(group: int, born: float) -> bool:
    """False when the leader's number belongs to a process that was started later: then our group has ended."""
    now = _born(group)
    return now in (0.0, born)


def _runs(group: int) -> bool:
    """True while a process of the group is alive; zombies are not."""
    for pid in psutil.pids():
        try:
            if os.getpgid(pid) == group and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE:
                return True
        except (OSError, psutil.Error):
            continue
    return False


def _signal(group: int, number: signal.Signals) -> None:
    try:
        os.killpg(group, number)
    except (ProcessLookupError, PermissionError):
        return


if __name__ == "__main__":
    keep()
