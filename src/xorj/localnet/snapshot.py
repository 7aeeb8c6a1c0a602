"""The state of all changed accounts after some number of transactions, in one checksummed file. Losing it costs time, never data."""

import os
import struct
import zlib
from dataclasses import dataclass
from pathlib import Path

from solders.account import Account
from solders.pubkey import Pubkey

FILE_NAME = "snapshot"
_MAGIC = b"XJS1"
_HEADER = struct.Struct("<4sI64sQI")
_ROW = struct.Struct("<32sI")


@dataclass(frozen=True, slots=True)
class Snapshot:
    """`accounts` holds what exists of `touched`; the rest of `touched` was closed. `transactions` says after how many of them."""

    fingerprint: str
    transactions: int
    accounts: dict[Pubkey, Account]
    touched: set[Pubkey]


def write_snapshot(directory: Path, snapshot: Snapshot) -> None:
    """Replaces the folder's snapshot in one step."""
    body = bytearray()
    for address in snapshot.touched:
        account = snapshot.accounts.get(address)
        row = bytes(account) if account is not None else b""
        body += _ROW.pack(bytes(address), len(row)) + row
    content = zlib.compress(bytes(body), 1)
    head = _HEADER.pack(_MAGIC, zlib.crc32(content), snapshot.fingerprint.encode(), snapshot.transactions, len(snapshot.touched))
    unfinished = directory / (FILE_NAME + ".new")
    with unfinished.open("wb") as file:
        file.write(head + content)
        file.flush()
        os.fsync(file.fileno())
    unfinished.replace(directory / FILE_NAME)


def newest_snapshot(directory: Path, fingerprint: str) -> Snapshot | None:
    """The folder's snapshot; None when there is none, or it is damaged or of another genesis: then the journal is run again."""
    try:
        raw = (directory / FILE_NAME).read_bytes()
    except FileNotFoundError:
        return None
    if len(raw) < _HEADER.size:
        return None
    magic, checksum, of_genesis, transactions, count = _HEADER.unpack_from(raw)
    content = raw[_HEADER.size :]
    if magic != _MAGIC or zlib.crc32(content) != checksum or of_genesis.decode() != fingerprint:
        return None
    accounts, touched = _rows(zlib.decompress(content), count)
    return Snapshot(fingerprint, transactions, accounts, touched)


def _rows(body: bytes, count: int) -> tuple[dict[Pubkey, Account], set[Pubkey]]:
    accounts: dict[Pubkey, Account] = {}
    touched: set[Pubkey] = set()
    at = 0
    for _ in range(count):
        key, length = _ROW.unpack_from(body, at)
        at += _ROW.size
        address = Pubkey.from_bytes(key)
        touched.add(address)
        if length:
            accounts[address] = Account.from_bytes(body[at : at + length])
        at += length
    return accounts, touched
