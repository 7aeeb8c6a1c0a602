"""One log file a process, of limited size. A process writes to its file directly, so that no line waits for the supervisor.

A file that has grown too large is copied to `NAME.log.1` and cut to nothing; writers append, so they go on at its new end.
"""

import shutil
from pathlib import Path
from typing import BinaryIO

LOG_BYTES_MAX = 10 * 1024 * 1024
OLD_LOGS_MAX = 3
TAIL_BYTES_MAX = 64 * 1024


def log_file(folder: Path, process: str) -> Path:
    return folder / f"{process}.log"


def open_log(path: Path) -> BinaryIO:
    """The file for a child to append to; only its owner may read it."""
    file = path.open("ab")
    path.chmod(0o600)
    return file


def rotate(path: Path, *, bytes_max: int = LOG_BYTES_MAX) -> bool:
    """Moves the content of a file larger than `bytes_max` to NAME.log.1, the older ones one up; True when it did.

    A line written between the copy and the cut is lost; they follow each other at once.
    """
    if not path.exists() or path.stat().st_size <= bytes_max:
        return False
    for number in range(OLD_LOGS_MAX, 1, -1):
        older = _old(path, number - 1)
        if older.exists():
            older.replace(_old(path, number))
    with path.open("r+b") as live, open_log(_old(path, 1)) as old:
        shutil.copyfileobj(live, old)
        live.truncate(0)
    return True


def tail(path: Path, lines: int) -> list[str]:
    """The last lines of a log, older files included only when they are named; an empty list when there is none."""
    if not path.exists():
        return []
    with path.open("rb") as file:
        size = file.seek(0, 2)
        file.seek(max(0, size - TAIL_BYTES_MAX))
        return file.read().decode(errors="replace").splitlines()[-lines:]


def since(path: Path, offset: int) -> str:
    """What was written after `offset`, at most the last TAIL_BYTES_MAX."""
    with path.open("rb") as file:
        size = file.seek(0, 2)
        file.seek(max(min(offset, size), size - TAIL_BYTES_MAX))
        return file.read().decode(errors="replace")


def _old(path: Path, number: int) -> Path:
    return path.with_name(f"{path.name}.{number}")
