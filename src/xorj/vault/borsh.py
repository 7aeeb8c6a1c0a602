"""Borsh by the types of `interface`: values to bytes and back. Used by accounts, instructions and events."""

from collections.abc import Mapping
from typing import cast

from solders.pubkey import Pubkey

from xorj.vault.interface import TYPES, Field, IdlType

_INTEGERS: dict[str, tuple[int, bool]] = {"u8": (1, False), "u16": (2, False), "u32": (4, False), "u64": (8, False), "i64": (8, True)}
_STRUCTURES = {structure.name: structure.fields for structure in TYPES}

Value = int | bool | bytes | Pubkey | None | list["Value"] | dict[str, "Value"]


class Malformed(ValueError):
    """Bytes that do not have the declared shape."""


def encode(fields: tuple[Field, ...], values: Mapping[str, object]) -> bytes:
    """The fields in order. Raises KeyError for a missing one, OverflowError for an integer that does not fit."""
    return b"".join(_encoded(field.type, values[field.name]) for field in fields)


def decode(fields: tuple[Field, ...], data: bytes) -> tuple[dict[str, Value], bytes]:
    """The fields' values and the bytes that are left. Raises Malformed."""
    values: dict[str, Value] = {}
    for field in fields:
        values[field.name], data = _decoded(field.type, data)
    return values, data


def size_of(kind: IdlType) -> int:
    """Bytes of a type that has a fixed size."""
    if isinstance(kind, str):
        return 32 if kind == "pubkey" else 1 if kind == "bool" else _INTEGERS[kind][0]
    ((word, inner),) = kind.items()
    if word == "array":
        element, count = cast("tuple[IdlType, int]", inner)
        return size_of(element) * count
    if word == "defined":
        return sum(size_of(field.type) for field in fields_of(inner))
    raise ValueError(f"{word} has no fixed size")


def _encoded(kind: IdlType, value: object) -> bytes:
    if isinstance(kind, str):
        return _encoded_plain(kind, value)
    ((word, inner),) = kind.items()
    if word == "option":
        return b"\x00" if value is None else b"\x01" + _encoded(cast("IdlType", inner), value)
    if word == "defined":
        return encode(fields_of(inner), cast("Mapping[str, object]", value))
    items = list(cast("list[object]", value))
    if word == "vec":
        return len(items).to_bytes(4, "little") + b"".join(_encoded(cast("IdlType", inner), item) for item in items)
    element, count = cast("tuple[IdlType, int]", inner)
    if len(items) != count:
        raise ValueError(f"{len(items)} elements where {count} belong")
    return b"".join(_encoded(element, item) for item in items)


def _encoded_plain(kind: str, value: object) -> bytes:
    if kind == "bytes":
        data = cast("bytes", value)
        return len(data).to_bytes(4, "little") + data
    if kind == "pubkey":
        return bytes(cast("Pubkey", value))
    size, signed = _INTEGERS["u8" if kind == "bool" else kind]
    return int(cast("int", value)).to_bytes(size, "little", signed=signed)


def _decoded(kind: IdlType, data: bytes) -> tuple[Value, bytes]:
    if isinstance(kind, str):
        return _decoded_plain(kind, data)
    ((word, inner),) = kind.items()
    if word == "option":
        flag, data = _flag(data)
        return _decoded(cast("IdlType", inner), data) if flag else (None, data)
    if word == "defined":
        return decode(fields_of(inner), data)
    if word == "vec":
        element = cast("IdlType", inner)
        count_bytes, data = _taken(data, 4)
        count = int.from_bytes(count_bytes, "little")
    else:
        element, count = cast("tuple[IdlType, int]", inner)
    items: list[Value] = []
    for _ in range(count):
        item, data = _decoded(element, data)
        items.append(item)
    return items, data


def _decoded_plain(kind: str, data: bytes) -> tuple[Value, bytes]:
    if kind == "bool":
        return _flag(data)
    if kind == "pubkey":
        key, data = _taken(data, 32)
        return Pubkey.from_bytes(key), data
    if kind == "bytes":
        length, data = _taken(data, 4)
        return _taken(data, int.from_bytes(length, "little"))
    size, signed = _INTEGERS[kind]
    number, data = _taken(data, size)
    return int.from_bytes(number, "little", signed=signed), data


def _flag(data: bytes) -> tuple[bool, bytes]:
    byte, data = _taken(data, 1)
    if byte not in (b"\x00", b"\x01"):
        raise Malformed(f"a flag must be 0 or 1, not {byte[0]}")
    return byte == b"\x01", data


def _taken(data: bytes, size: int) -> tuple[bytes, bytes]:
    if len(data) < size:
        raise Malformed(f"{len(data)} bytes left where {size} are needed")
    return data[:size], data[size:]


def fields_of(reference: object) -> tuple[Field, ...]:
    """The fields of a declared struct, by what stands after `defined`."""
    return _STRUCTURES[cast("dict[str, str]", reference)["name"]]
