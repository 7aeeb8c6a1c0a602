"""Strict reading of a node's JSON: every field is of the type it must be, or the reply is refused by the path of the field."""

from collections.abc import Callable
from functools import lru_cache
from typing import Any, TypeVar

from xorj.primitives.errors import InvalidInput
from xorj.primitives.ids import parse_pubkey

Json = Any
T = TypeVar("T")
U64_MAX = 2**64 - 1
PUBKEYS_REMEMBERED_MAX = 65_536

# the same few thousand addresses come back in every reply
_canonical = lru_cache(PUBKEYS_REMEMBERED_MAX)(parse_pubkey)


def read_object(value: Json, path: str) -> dict[str, Json]:
    if not isinstance(value, dict):
        raise InvalidInput(path, given=value, rule="a JSON object")
    return value


def read_list(value: Json, path: str) -> list[Json]:
    if not isinstance(value, list):
        raise InvalidInput(path, given=value, rule="a JSON list")
    return value


def read_text(value: Json, path: str) -> str:
    if not isinstance(value, str):
        raise InvalidInput(path, given=value, rule="a text")
    return value


def read_natural(value: Json, path: str) -> int:
    """An unsigned integer of at most 64 bits; a float, a bool or a text is not one."""
    if type(value) is not int or not 0 <= value <= U64_MAX:
        raise InvalidInput(path, given=value, rule="an integer from 0 to 2^64 - 1")
    return value


def read_index(value: Json, path: str, count: int) -> int:
    if type(value) is not int or not 0 <= value < count:
        raise InvalidInput(path, given=value, rule=f"an index below {count}")
    return value


def read_amount(value: Json, path: str) -> int:
    """A raw token amount, which nodes write as a decimal text so that no parser can round it."""
    if not isinstance(value, str) or not value.isascii() or not value.isdigit() or int(value) > U64_MAX:
        raise InvalidInput(path, given=value, rule="a decimal text from 0 to 2^64 - 1")
    return int(value)


def read_pubkey(value: Json, path: str) -> str:
    return _canonical(read_text(value, path), path)


def optional(value: Json, path: str, read: Callable[[Json, str], T]) -> T | None:
    return None if value is None else read(value, path)
