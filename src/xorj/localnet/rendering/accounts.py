"""Accounts in the encodings of getAccountInfo, and parsed where a node parses them. Pure; called by the RPC and by pubsub."""

from base64 import b64encode
from collections.abc import Callable
from dataclasses import dataclass

from solders.account import Account
from solders.pubkey import Pubkey

from xorj.localnet.effects import TOKEN_PROGRAMS, is_token_account
from xorj.localnet.genesis import MINT_BYTES, RENT_EPOCH_NEVER, TOKEN_PROGRAM, UPGRADEABLE_LOADER
from xorj.localnet.lookups import LOOKUP_PROGRAM
from xorj.localnet.records import Json
from xorj.localnet.rendering.amounts import token_amount
from xorj.localnet.rendering.zstandard import frame
from xorj.primitives.base58 import encode

BASE58_BYTES_MAX = 128
_ACCOUNT_STATES = ("uninitialized", "initialized", "frozen")

DecimalsOf = Callable[[bytes], int | None]


@dataclass(frozen=True, slots=True)
class Slice:
    """Which part of the data to show."""

    offset: int
    length: int


class TooLargeForBase58(ValueError):
    """Base58 is refused for data of more than 128 bytes."""


def account(of: Account, encoding: str | None, part: Slice | None, decimals_of: DecimalsOf) -> Json:
    """An account as a node shows it. Without an encoding the data is a bare base58 text, as it was in the beginning."""
    data = of.data
    shown = parsed(of, data, decimals_of) if encoding == "jsonParsed" else None
    if shown is None:
        cut = data[part.offset : part.offset + part.length] if part is not None else data
        shown = _encoded(cut, "base64" if encoding == "jsonParsed" else encoding)
    return {
        "data": shown,
        "executable": of.executable,
        "lamports": of.lamports,
        "owner": str(of.owner),
        "rentEpoch": RENT_EPOCH_NEVER,
        "space": len(data),
    }


def parsed(of: Account, data: bytes, decimals_of: DecimalsOf) -> Json:
    """The parsed form of accounts that a node knows how to read, else None."""
    content, program = None, ""
    if of.owner in TOKEN_PROGRAMS:
        content = _token(of, data, decimals_of)
        program = "spl-token" if of.owner == TOKEN_PROGRAM else "spl-token-2022"
    elif of.owner == UPGRADEABLE_LOADER:
        content, program = _upgradeable(data), "bpf-upgradeable-loader"
    elif of.owner == LOOKUP_PROGRAM:
        content, program = _lookup_table(data), "address-lookup-table"
    return {"parsed": content, "program": program, "space": len(data)} if content is not None else None


def _encoded(data: bytes, encoding: str | None) -> Json:
    if encoding == "base64":
        return [b64encode(data).decode(), "base64"]
    if encoding == "base64+zstd":
        return [b64encode(frame(data)).decode(), "base64+zstd"]
    if len(data) > BASE58_BYTES_MAX:
        raise TooLargeForBase58
    return [encode(data), "base58"] if encoding == "base58" else encode(data)


def _token(of: Account, data: bytes, decimals_of: DecimalsOf) -> Json:
    if is_token_account(of, data):
        decimals = decimals_of(data[:32])
        return {"info": token_account_info(data, decimals), "type": "account"} if decimals is not None else None
    if len(data) >= MINT_BYTES and data[45]:
        info = {
            "decimals": data[44],
            "freezeAuthority": _optional_key(data[46:82]),
            "isInitialized": True,
            "mintAuthority": _optional_key(data[0:36]),
            "supply": str(int.from_bytes(data[36:44], "little")),
        }
        return {"info": info, "type": "mint"}
    return None


def token_account_info(data: bytes, decimals: int) -> Json:
    """The fields of a token account that are set."""
    native = int.from_bytes(data[109:113], "little") == 1
    info = {
        "isNative": native,
        "mint": str(Pubkey.from_bytes(data[:32])),
        "owner": str(Pubkey.from_bytes(data[32:64])),
        "state": _ACCOUNT_STATES[min(data[108], 2)],
        "tokenAmount": token_amount(int.from_bytes(data[64:72], "little"), decimals),
    }
    delegate, close_authority = _optional_key(data[72:108]), _optional_key(data[129:165])
    if delegate is not None:
        info |= {"delegate": delegate, "delegatedAmount": token_amount(int.from_bytes(data[121:129], "little"), decimals)}
    if native:
        info["rentExemptReserve"] = token_amount(int.from_bytes(data[113:121], "little"), decimals)
    if close_authority is not None:
        info["closeAuthority"] = close_authority
    return info


def _upgradeable(data: bytes) -> Json:
    kind = int.from_bytes(data[:4], "little")
    if kind == 2 and len(data) >= 36:
        return {"info": {"programData": str(Pubkey.from_bytes(data[4:36]))}, "type": "program"}
    if kind == 3 and len(data) >= 45:
        authority = str(Pubkey.from_bytes(data[13:45])) if data[12] else None
        elf = [b64encode(data[45:]).decode(), "base64"]
        return {"info": {"authority": authority, "data": elf, "slot": int.from_bytes(data[4:12], "little")}, "type": "programData"}
    return None


def _lookup_table(data: bytes) -> Json:
    if len(data) < 56:
        return None
    info = {
        "addresses": [str(Pubkey.from_bytes(data[at : at + 32])) for at in range(56, len(data) - 31, 32)],
        "deactivationSlot": str(int.from_bytes(data[4:12], "little")),
        "lastExtendedSlot": str(int.from_bytes(data[12:20], "little")),
        "lastExtendedSlotStartIndex": data[20],
    }
    if data[21]:
        info["authority"] = str(Pubkey.from_bytes(data[22:54]))
    return {"info": info, "type": "lookupTable"}


def _optional_key(data: bytes) -> str | None:
    return str(Pubkey.from_bytes(data[4:36])) if data[0] else None
