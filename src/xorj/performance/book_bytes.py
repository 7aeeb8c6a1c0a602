"""A snapshot of the live books as bytes, and back, to the bit. Used by follow_performance; what holds the bytes is its business.

Bytes that were cut, changed, written by other code than this, or of another lake are no snapshot: the books are made from the lake then.
"""

from fractions import Fraction
from hashlib import sha256
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from xorj.performance import columns, input_hash, legs, live_books, loops, mark_table, stream, stream_loops
from xorj.performance.live_books import Snapshot
from xorj.primitives.ids import Mint, Slot, Wallet
from xorj.swaps import valuation
from xorj.swaps.swap import OrderKey

_CHECKSUM_BYTES = 32
# what says what the numbers of a snapshot mean
SOURCES = (columns, input_hash, legs, live_books, loops, mark_table, stream, stream_loops, valuation)


class _Array(msgspec.Struct, array_like=True):
    kind: str
    shape: tuple[int, ...]
    content: bytes


class _Stored(msgspec.Struct, array_like=True):
    """Fractions by their texts, since their terms may have more than 64 bits."""

    code: bytes
    lake: str
    version: int
    newest: tuple[int, int, int, str] | None
    block_time: int
    prices: dict[str, str]
    wallets: list[str]
    digests: list[bytes]
    tokens: list[str]
    stream: dict[str, _Array]
    marks: dict[str, _Array]


def packed(one: Snapshot, lake: str) -> bytes:
    """The snapshot of the books of that lake, and before it its checksum."""
    newest = (
        None
        if one.newest is None
        else (one.newest[0].slot, one.newest[0].transaction_index, one.newest[0].instruction_index, one.newest[1])
    )
    stored = _Stored(
        _code(),
        lake,
        one.version,
        newest,
        one.block_time,
        {mint: str(price) for mint, price in one.prices.items()},
        list(one.wallets),
        list(one.digests),
        list(one.tokens),
        {name: _array(value) for name, value in one.stream.items()},
        {name: _array(value) for name, value in one.marks.items()},
    )
    content = msgspec.msgpack.encode(stored)
    return sha256(content).digest() + content


def unpacked(content: bytes, lake: str) -> Snapshot | None:
    """The snapshot; None where the bytes are not what this code has packed of that lake."""
    if sha256(content[_CHECKSUM_BYTES:]).digest() != content[:_CHECKSUM_BYTES]:
        return None
    try:
        one = msgspec.msgpack.decode(content[_CHECKSUM_BYTES:], type=_Stored)
    except msgspec.DecodeError:
        return None
    if one.code != _code() or one.lake != lake:
        return None
    newest = None if one.newest is None else (OrderKey(Slot(one.newest[0]), one.newest[1], one.newest[2]), one.newest[3])
    return Snapshot(
        version=one.version,
        newest=newest,
        block_time=one.block_time,
        prices={Mint(mint): Fraction(price) for mint, price in one.prices.items()},
        wallets=tuple(map(Wallet, one.wallets)),
        digests=tuple(one.digests),
        tokens=tuple(map(Mint, one.tokens)),
        stream={name: _numbers(value) for name, value in one.stream.items()},
        marks={name: _numbers(value) for name, value in one.marks.items()},
    )


def _array(value: Any) -> _Array:
    return _Array(value.dtype.str, value.shape, value.tobytes())


def _numbers(one: _Array) -> Any:
    return np.frombuffer(one.content, dtype=np.dtype(one.kind)).reshape(one.shape)


def _code() -> bytes:
    digest = sha256()
    for module in SOURCES:
        digest.update(Path(str(module.__file__)).read_bytes())
    return digest.digest()
