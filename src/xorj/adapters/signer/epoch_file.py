"""The newest lease epoch that the signer has seen, on the disk before it counts, so that a deposed bot stays deposed after a restart."""

import os
from pathlib import Path

from xorj.primitives.errors import InvalidInput

DIGITS_MAX = 20


class EpochFile:
    """A number in a file that is replaced whole."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.newest = _read(path)

    def accept(self, epoch: int) -> bool:
        """False for an epoch below the newest. A newer one is on the disk when this returns."""
        if epoch < self.newest:
            return False
        if epoch > self.newest:
            _write(self._path, epoch)
            self.newest = epoch
        return True


def _read(path: Path) -> int:
    """0 for a new file. Raises InvalidInput for one that is damaged: a guess could let a deposed bot back in."""
    try:
        text = path.read_text().strip()
    except FileNotFoundError:
        return 0
    if not text.isascii() or not text.isdecimal() or len(text) > DIGITS_MAX:
        raise InvalidInput(str(path), given=text[:DIGITS_MAX], rule="one number")
    return int(text)


def _write(path: Path, epoch: int) -> None:
    fresh = path.with_suffix(".new")
    with fresh.open("w") as file:
        file.write(f"{epoch}\n")
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
