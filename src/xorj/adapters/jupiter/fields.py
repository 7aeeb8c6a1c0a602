"""Reads fields out of what the router says, strictly: what is missing, of another type or out of range is a fault of the router."""

import base64
import binascii
from collections.abc import Callable
from decimal import Decimal, InvalidOperation
from typing import Any, TypeVar

from solders.instruction import AccountMeta, Instruction
from solders.pubkey import Pubkey

from xorj.primitives.errors import Unavailable

SYSTEM = "Jupiter"
U64_MAX = 2**64 - 1
ACCOUNTS_MAX = 64
DATA_BYTES_MAX = 1_232
_Item = TypeVar("_Item")


def malformed(what: str) -> Unavailable:
    return Unavailable(SYSTEM, f"malformed answer: {what}")


def structure(value: Any, what: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise malformed(f"{what} is no object")
    return value


def items(value: Any, what: str, read: Callable[[Any], _Item], *, most: int) -> tuple[_Item, ...]:
    if not isinstance(value, list) or len(value) > most:
        raise malformed(f"{what} is no list of at most {most}")
    return tuple(read(one) for one in value)


def text(value: Any, what: str, *, most: int = 200) -> str:
    if not isinstance(value, str) or len(value) > most:
        raise malformed(f"{what} is no text of at most {most} characters")
    return value


def pubkey(value: Any, what: str) -> Pubkey:
    try:
        return Pubkey.from_string(text(value, what))
    except ValueError as error:
        raise malformed(f"{what} is no public key") from error


def amount(value: Any, what: str) -> int:
    """An unsigned 64-bit count written as text, as the router writes amounts."""
    if not isinstance(value, str) or not value.isascii() or not value.isdecimal() or len(value) > 20 or int(value) > U64_MAX:
        raise malformed(f"{what} is no amount")
    return int(value)


def integer(value: Any, what: str, *, least: int, most: int) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
        raise malformed(f"{what} is no integer from {least} to {most}")
    return value


def number(value: Any, what: str) -> Decimal:
    """A finite number, written as a number or as text."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise malformed(f"{what} is no number")
    try:
        read = Decimal(str(value)[:60])
    except InvalidOperation as error:
        raise malformed(f"{what} is no number") from error
    if not read.is_finite():
        raise malformed(f"{what} is not finite")
    return read


def instruction(value: Any, what: str) -> Instruction:
    fields = structure(value, what)
    try:
        data = base64.b64decode(text(fields.get("data"), f"{what}.data", most=DATA_BYTES_MAX * 2), validate=True)
    except (binascii.Error, ValueError) as error:
        raise malformed(f"{what}.data is no base64") from error
    metas = items(fields.get("accounts"), f"{what}.accounts", lambda one: _meta(one, what), most=ACCOUNTS_MAX)
    return Instruction(pubkey(fields.get("programId"), f"{what}.programId"), data, list(metas))


def _meta(value: Any, what: str) -> AccountMeta:
    fields = structure(value, f"{what}.accounts")
    flags = [fields.get(name) for name in ("isSigner", "isWritable")]
    if not all(isinstance(flag, bool) for flag in flags):
        raise malformed(f"{what}.accounts has a flag that is no boolean")
    return AccountMeta(pubkey(fields.get("pubkey"), f"{what}.pubkey"), bool(flags[0]), bool(flags[1]))
