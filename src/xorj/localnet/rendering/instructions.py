"""Instructions of well-known programs in the `jsonParsed` form; others are shown with their accounts and base58 data. Pure."""

import struct
from collections.abc import Callable, Sequence

from xorj.localnet.records import Json
from xorj.localnet.rendering.amounts import token_amount
from xorj.primitives.base58 import decode, encode

SYSTEM = "11111111111111111111111111111111"
CLASSIC = "TokenkegQfeZyiNwAJbNbGKPFXCWuBvf9Ss623VQ5DA"
NEWER = "TokenzQdBNbLqP5VEhdkAS6EPFLC1PHnBqCXEpPxuEb"
ASSOCIATED = "ATokenGPvbdGVxr1b2hvZbsiqW5xWH25efTNsLJA8knL"
MEMOS = ("MemoSq4gqABAXKb96qnH8TysNcWxMyWCqXgDLGmfcHr", "Memo1UhkJRfHyvLMcVucJwxXeuD728EqVDDwQDxFMNo")
LOOKUP_TABLES = "AddressLookupTab1e1111111111111111111111111"

_EXTENSION_NAMES = {1: "transferFeeConfig", 2: "transferFeeAmount", 3: "mintCloseAuthority", 7: "immutableOwner", 8: "memoTransfer"}
_AUTHORITY_TYPES = ("mintTokens", "freezeAccount", "accountOwner", "closeAccount")
_ASSOCIATED_KINDS = ("create", "createIdempotent")


class _Unparsable(ValueError):
    """Data or accounts do not fit the instruction; it is then shown undecoded, as a node does."""


class _Reader:
    """Reads one instruction's data field by field."""

    def __init__(self, data: bytes) -> None:
        self._data, self._at = data, 0

    def take(self, form: str) -> int:
        size = struct.calcsize("<" + form)
        if self._at + size > len(self._data):
            raise _Unparsable
        (value,) = struct.unpack_from("<" + form, self._data, self._at)
        self._at += size
        return int(value)

    def chunk(self, size: int) -> bytes:
        taken = self._data[self._at : self._at + size]
        if len(taken) < size:
            raise _Unparsable
        self._at += size
        return taken

    def key(self) -> str:
        return encode(self.chunk(32))

    def text(self) -> str:
        return self.chunk(self.take("Q")).decode()

    def rest(self) -> bytes:
        return self._data[self._at :]


Info = dict[str, Json]
Parser = Callable[[_Reader, Sequence[str]], tuple[str, Info]]


def render(program: str, accounts: Sequence[str], data_base58: str, stack_height: int | None) -> Json:
    """One instruction as `jsonParsed` shows it."""
    family = _FAMILIES.get(program)
    if family is not None:
        name, parse = family
        try:
            return {"parsed": parse(decode(data_base58), accounts), "program": name, "programId": program, "stackHeight": stack_height}
        except (_Unparsable, IndexError, UnicodeDecodeError):
            pass
    return {"accounts": list(accounts), "data": data_base58, "programId": program, "stackHeight": stack_height}


def _named(accounts: Sequence[str], *names: str) -> Info:
    return {name: accounts[position] for position, name in enumerate(names) if name}


def _table(parsers: dict[int, Parser], width: int) -> Callable[[bytes, Sequence[str]], Json]:
    """A parser that chooses by the tag in the first `width` bytes."""

    def parse(data: bytes, accounts: Sequence[str]) -> Json:
        parser = parsers.get(int.from_bytes(data[:width], "little")) if len(data) >= width else None
        if parser is None:
            raise _Unparsable
        kind, info = parser(_Reader(data[width:]), accounts)
        return {"info": info, "type": kind}

    return parse


def _create_account(data: _Reader, accounts: Sequence[str]) -> tuple[str, Info]:
    return "createAccount", _named(accounts, "source", "newAccount") | {
        "lamports": data.take("Q"),
        "space": data.take("Q"),
        "owner": data.key(),
    }


def _create_with_seed(data: _Reader, accounts: Sequence[str]) -> tuple[str, Info]:
    info = {"base": data.key(), "seed": data.text(), "lamports": data.take("Q"), "space": data.take("Q"), "owner": data.key()}
    return "createAccountWithSeed", _named(accounts, "source", "newAccount") | info


_SYSTEM: dict[int, Parser] = {
    0: _create_account,
    1: lambda data, accounts: ("assign", _named(accounts, "account") | {"owner": data.key()}),
    2: lambda data, accounts: ("transfer", _named(accounts, "source", "destination") | {"lamports": data.take("Q")}),
    3: _create_with_seed,
    8: lambda data, accounts: ("allocate", _named(accounts, "account") | {"space": data.take("Q")}),
}


def _signed_by(accounts: Sequence[str], position: int, name: str) -> Info:
    """The authority of a token instruction: one key, or a multisig with its signers."""
    if len(accounts) <= position + 1:
        return {name: accounts[position]}
    return {"multisig" + name[0].upper() + name[1:]: accounts[position], "signers": list(accounts[position + 1 :])}


def _moves(kind: str, names: Sequence[str], authority: str, *, checked: bool = False) -> Parser:
    """A token instruction that names an amount after its accounts."""

    def parse(data: _Reader, accounts: Sequence[str]) -> tuple[str, Info]:
        raw = data.take("Q")
        amount: Info = {"tokenAmount": token_amount(raw, data.take("B"))} if checked else {"amount": str(raw)}
        return kind, _named(accounts, *names) | amount | _signed_by(accounts, len(names), authority)

    return parse


def _plain(kind: str, names: Sequence[str], authority: str | None = None) -> Parser:
    """A token instruction without data."""

    def parse(_data: _Reader, accounts: Sequence[str]) -> tuple[str, Info]:
        signed = _signed_by(accounts, len(names), authority) if authority else {}
        return kind, _named(accounts, *names) | signed

    return parse


def _initialize_mint(kind: str, names: Sequence[str]) -> Parser:
    def parse(data: _Reader, accounts: Sequence[str]) -> tuple[str, Info]:
        info = _named(accounts, *names) | {"decimals": data.take("B"), "mintAuthority": data.key()}
        return kind, info | ({"freezeAuthority": data.key()} if data.take("B") else {})

    return parse


def _initialize_account_for(kind: str, names: Sequence[str]) -> Parser:
    def parse(data: _Reader, accounts: Sequence[str]) -> tuple[str, Info]:
        return kind, _named(accounts, *names) | {"owner": data.key()}

    return parse


def _set_authority(data: _Reader, accounts: Sequence[str]) -> tuple[str, Info]:
    kind = data.take("B")
    owned = "mint" if kind < 2 else "account"
    authority = data.key() if data.take("B") else None
    info = {owned: accounts[0], "authorityType": _AUTHORITY_TYPES[kind], "newAuthority": authority}
    return "setAuthority", info | _signed_by(accounts, 1, "authority")


def _account_data_size(data: _Reader, accounts: Sequence[str]) -> tuple[str, Info]:
    raw = data.rest()
    kinds = struct.unpack(f"<{len(raw) // 2}H", raw[: len(raw) // 2 * 2])
    return "getAccountDataSize", {"extensionTypes": [_EXTENSION_NAMES.get(one, str(one)) for one in kinds], "mint": accounts[0]}


_TOKEN: dict[int, Parser] = {
    0: _initialize_mint("initializeMint", ("mint", "rentSysvar")),
    1: _plain("initializeAccount", ("account", "mint", "owner", "rentSysvar")),
    3: _moves("transfer", ("source", "destination"), "authority"),
    4: _moves("approve", ("source", "delegate"), "owner"),
    5: _plain("revoke", ("source",), "owner"),
    6: _set_authority,
    7: _moves("mintTo", ("mint", "account"), "mintAuthority"),
    8: _moves("burn", ("account", "mint"), "authority"),
    9: _plain("closeAccount", ("account", "destination"), "owner"),
    10: _plain("freezeAccount", ("account", "mint"), "freezeAuthority"),
    11: _plain("thawAccount", ("account", "mint"), "freezeAuthority"),
    12: _moves("transferChecked", ("source", "mint", "destination"), "authority", checked=True),
    13: _moves("approveChecked", ("source", "mint", "delegate"), "owner", checked=True),
    14: _moves("mintToChecked", ("mint", "account"), "mintAuthority", checked=True),
    15: _moves("burnChecked", ("account", "mint"), "authority", checked=True),
    16: _initialize_account_for("initializeAccount2", ("account", "mint", "", "rentSysvar")),
    17: _plain("syncNative", ("account",)),
    18: _initialize_account_for("initializeAccount3", ("account", "mint")),
    20: _initialize_mint("initializeMint2", ("mint",)),
    21: _account_data_size,
    22: _plain("initializeImmutableOwner", ("account",)),
}


def _associated(data: bytes, accounts: Sequence[str]) -> Json:
    kind = data[0] if data else 0
    if kind >= len(_ASSOCIATED_KINDS):
        raise _Unparsable
    info = _named(accounts, "source", "account", "wallet", "mint", "systemProgram", "tokenProgram")
    return {"info": info, "type": _ASSOCIATED_KINDS[kind]}


def _memo(data: bytes, _accounts: Sequence[str]) -> Json:
    return data.decode()


def _create_table(data: _Reader, accounts: Sequence[str]) -> tuple[str, Info]:
    names = ("lookupTableAccount", "lookupTableAuthority", "payerAccount", "systemProgram")
    return "createLookupTable", _named(accounts, *names) | {"recentSlot": data.take("Q"), "bumpSeed": data.take("B")}


def _extend_table(data: _Reader, accounts: Sequence[str]) -> tuple[str, Info]:
    names = ("lookupTableAccount", "lookupTableAuthority", "payerAccount", "systemProgram")
    info = _named(accounts[: len(names)], *names[: len(accounts)])
    return "extendLookupTable", info | {"newAddresses": [data.key() for _ in range(data.take("Q"))]}


_LOOKUP: dict[int, Parser] = {0: _create_table, 2: _extend_table}

_FAMILIES: dict[str, tuple[str, Callable[[bytes, Sequence[str]], Json]]] = {
    SYSTEM: ("system", _table(_SYSTEM, 4)),
    CLASSIC: ("spl-token", _table(_TOKEN, 1)),
    NEWER: ("spl-token", _table(_TOKEN, 1)),
    ASSOCIATED: ("spl-associated-token-account", _associated),
    LOOKUP_TABLES: ("address-lookup-table", _table(_LOOKUP, 4)),
    **dict.fromkeys(MEMOS, ("spl-memo", _memo)),
}
