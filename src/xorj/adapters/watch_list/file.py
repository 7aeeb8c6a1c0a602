"""The watch list as a text file, one wallet a line. Written by `swaps watch`, read by the quant engine before each pass."""

import os
from collections.abc import Iterable
from pathlib import Path

from xorj.primitives.errors import InvalidInput, Unavailable
from xorj.primitives.ids import Wallet, parse_pubkey

FILE_NAME = "watched-wallets.txt"
WALLETS_MAX = 100_000
FILE_BYTES_MAX = WALLETS_MAX * 64


class WatchList:
    """In a folder that is there; without its file it is empty. Methods raise Unavailable where the file cannot be used."""

    def __init__(self, folder: Path) -> None:
        self._file = folder / FILE_NAME

    def wallets(self) -> frozenset[Wallet]:
        """Unavailable also for a line that is no wallet: nothing is left out in silence."""
        try:
            with self._file.open("rb") as opened:
                content = opened.read(FILE_BYTES_MAX + 1)
        except FileNotFoundError:
            return frozenset()
        except OSError as error:
            raise Unavailable(f"watch list {self._file}", error.strerror or str(error)) from error
        if len(content) > FILE_BYTES_MAX:
            raise Unavailable(f"watch list {self._file}", f"more than {WALLETS_MAX} wallets")
        lines = enumerate(content.decode("utf-8", errors="replace").splitlines(), 1)
        try:
            return frozenset(Wallet(parse_pubkey(line.strip(), f"line {number}")) for number, line in lines if line.strip())
        except InvalidInput as error:
            raise Unavailable(f"watch list {self._file}", str(error)) from error

    def add(self, wallets: Iterable[Wallet]) -> int:
        """How many were not there before."""
        known = self.wallets()
        return self._keep(known | set(wallets)) - len(known)

    def remove(self, wallets: Iterable[Wallet]) -> int:
        """How many were there."""
        known = self.wallets()
        return len(known) - self._keep(known - set(wallets))

    def _keep(self, wallets: Iterable[Wallet]) -> int:
        """Replaces the file at once: a reader sees the one before or this one."""
        found = sorted(wallets)
        written = self._file.with_suffix(f".{os.getpid()}")
        try:
            written.write_text("".join(f"{wallet}\n" for wallet in found))
            written.replace(self._file)
        except OSError as error:
            raise Unavailable(f"watch list {self._file}", error.strerror or str(error)) from error
        return len(found)


def wallets_of(text: str, field: str) -> frozenset[Wallet]:
    """Wallets of a setting, separated by commas. Raises InvalidInput."""
    return frozenset(Wallet(parse_pubkey(part.strip(), field)) for part in text.split(",") if part.strip())
