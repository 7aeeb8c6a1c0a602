"""The append-only file behind a local chain: checksummed records, group commit, torn tail cut off. Used by the bank.

A record is magic, kind, payload length, CRC-32 of kind, length and payload, payload. What was acknowledged was synced before.
"""

import fcntl
import os
import struct
import tempfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from xorj.primitives.errors import BrokenInvariant, RefusedForSafety

MAGIC = b"XJR1"
HEADER = struct.Struct("<4sBII")
PAYLOAD_BYTES_MAX = 64 * 1024 * 1024
BUFFER_BYTES_MAX = 256 * 1024

FILE_NAME = "journal"
LOCK_NAME = "lock"


class Record(NamedTuple):
    """One record of the journal; `offset` is where its payload starts in the file."""

    kind: int
    offset: int
    payload: bytes


class Journal:
    """One open journal file, locked against a second opener."""

    def __init__(self, path: Path | None) -> None:
        """Opens or creates the journal in folder `path`; without one it lives in an unnamed temporary file.

        Raises RefusedForSafety when another process has the folder open.
        """
        self._lock = _locked(path) if path is not None else None
        self._fd = _opened(path)
        self._buffer = bytearray()
        self._written = os.fstat(self._fd).st_size
        self._durable = path is not None
        self.synced = self._written

    @property
    def end(self) -> int:
        """The offset after the last appended record."""
        return self._written + len(self._buffer)

    def append(self, kind: int, payload: bytes) -> int:
        """Adds a record and returns its payload's offset. It is in the file after flush, on the disk after sync."""
        checksum = zlib.crc32(payload, zlib.crc32(struct.pack("<BI", kind, len(payload))))
        offset = self.end + HEADER.size
        self._buffer += HEADER.pack(MAGIC, kind, len(payload), checksum)
        self._buffer += payload
        if len(self._buffer) >= BUFFER_BYTES_MAX:
            self.flush()
        return offset

    def flush(self) -> None:
        """Hands everything appended to the operating system, where it survives the death of this process."""
        view = memoryview(self._buffer)
        while view:
            count = os.write(self._fd, view)
            self._written += count
            view = view[count:]
        view.release()
        self._buffer.clear()

    def sync(self) -> None:
        """flush, then waits for the disk. Safe to call from another thread as long as nobody appends meanwhile: see sync_file."""
        self.flush()
        self.sync_file()

    def sync_file(self) -> None:
        """Waits until everything flushed before the call is on the disk. May run in a thread while others append."""
        reached = self._written
        if self._durable:
            os.fdatasync(self._fd)
        self.synced = max(self.synced, reached)

    def read(self, offset: int, length: int) -> bytes:
        """`length` bytes of a payload at `offset`."""
        if offset + length > self._written:
            self.flush()
        return os.pread(self._fd, length, offset)

    def records(self) -> Iterator[Record]:
        """All records from the start. A torn last record is cut off the file.

        Raises BrokenInvariant when the file is damaged before its last record: that data was acknowledged and must not vanish.
        """
        offset, size = 0, self._written
        while offset < size:
            record = self._record_at(offset, size)
            if record is None:
                self._cut_torn_tail(offset, size)
                return
            yield record
            offset = record.offset + len(record.payload)

    def close(self) -> None:
        """Syncs and closes. The folder may be opened again afterwards."""
        self.sync()
        os.close(self._fd)
        if self._lock is not None:
            os.close(self._lock)

    def _record_at(self, offset: int, size: int) -> Record | None:
        header = os.pread(self._fd, HEADER.size, offset)
        if len(header) < HEADER.size:
            return None
        magic, kind, length, checksum = HEADER.unpack(header)
        start = offset + HEADER.size
        if magic != MAGIC or length > PAYLOAD_BYTES_MAX or start + length > size:
            return None
        payload = os.pread(self._fd, length, start)
        if zlib.crc32(payload, zlib.crc32(struct.pack("<BI", kind, length))) != checksum:
            return None
        return Record(kind, start, payload)

    def _cut_torn_tail(self, offset: int, size: int) -> None:
        rest = os.pread(self._fd, size - offset, offset)
        at = rest.find(MAGIC, 1)
        while at != -1:
            if self._record_at(offset + at, size) is not None:
                raise BrokenInvariant("the chain's journal is damaged before its end", bad_offset=offset, next_good_offset=offset + at)
            at = rest.find(MAGIC, at + 1)
        os.ftruncate(self._fd, offset)
        self._written = self.synced = offset


def _opened(path: Path | None) -> int:
    if path is None:
        with tempfile.TemporaryFile() as file:
            return os.dup(file.fileno())
    return os.open(path / FILE_NAME, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)


def _locked(path: Path) -> int:
    path.mkdir(parents=True, exist_ok=True)
    fd = os.open(path / LOCK_NAME, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        os.close(fd)
        raise RefusedForSafety(f"{path} is open in another process; a local chain has one writer") from error
    return fd
