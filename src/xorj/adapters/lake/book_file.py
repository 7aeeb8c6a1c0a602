"""The snapshot of the live books as a file beside the lake. Implements BookKeeper of xorj.performance.ports; built by the quant engine."""

import asyncio
import os
from pathlib import Path

from xorj.primitives.errors import Unavailable


class BookFile:
    """One file, replaced whole: a process that is killed while it writes leaves the one before."""

    def __init__(self, path: Path) -> None:
        self._path = path

    async def load(self) -> bytes | None:
        return await asyncio.to_thread(self._load)

    async def save(self, content: bytes) -> None:
        await asyncio.to_thread(self._save, content)

    def _load(self) -> bytes | None:
        try:
            return self._path.read_bytes()
        except FileNotFoundError:
            return None
        except OSError as error:
            raise Unavailable(f"books {self._path}", str(error)) from error

    def _save(self, content: bytes) -> None:
        new = self._path.with_suffix(".new")
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            with new.open("wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            new.replace(self._path)
        except OSError as error:
            raise Unavailable(f"books {self._path}", str(error)) from error
