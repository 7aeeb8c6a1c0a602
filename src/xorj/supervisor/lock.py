"""A lock file that one process holds for as long as it lives; the kernel lets go of it however that process dies."""

import fcntl
import os
from pathlib import Path

from xorj.primitives.errors import RefusedForSafety


class HeldLock:
    """Taken on making, given back by `release`. The file names the holder and stays where it is."""

    def __init__(self, file: Path, what: str, advice: str = "") -> None:
        """Raises RefusedForSafety saying that `what` is in use, by which process, and what to do."""
        self._fd = os.open(file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(self._fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            holder = os.pread(self._fd, 20, 0).decode(errors="replace").strip()
            os.close(self._fd)
            raise RefusedForSafety(f"{what} is in use by process {holder or 'unknown'}{advice}") from error
        os.ftruncate(self._fd, 0)
        os.pwrite(self._fd, str(os.getpid()).encode(), 0)

    def release(self) -> None:
        os.close(self._fd)


def is_held(file: Path) -> bool:
    """Whether some process holds that lock now; it is not taken away from anybody."""
    try:
        fd = os.open(file, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return False
    try:
        fcntl.flock(fd, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(fd)
    return False
