"""What the journal's payloads say: blocks, and transactions with everything that a node reports of them. Pure; used by bank and history."""

import struct
from dataclasses import dataclass
from typing import Any, NamedTuple

import orjson

KIND_GENESIS = 1
KIND_BLOCK = 2
KIND_TRANSACTION = 3

_BLOCK = struct.Struct("<QQq")
_TRANSACTION = struct.Struct("<QIH")

Json = Any  # what a JSON document holds; the chain's errors and parsed instructions have no narrower type


class BlockRecord(NamedTuple):
    """A block begins: its slot, its height and its time."""

    slot: int
    height: int
    unix_seconds: int

    def encode(self) -> bytes:
        return _BLOCK.pack(self.slot, self.height, self.unix_seconds)

    @staticmethod
    def decode(payload: bytes) -> "BlockRecord":
        return BlockRecord(*_BLOCK.unpack(payload))


class TokenBalanceRow(NamedTuple):
    """One token account's balance in a transaction's pre or post list."""

    account_index: int
    mint: str
    owner: str
    program: str
    amount_raw: int
    decimals: int


class InnerRow(NamedTuple):
    """One inner instruction as the `json` encoding shows it; `data` is base58."""

    program_index: int
    accounts: list[int]
    data: str
    stack_height: int


@dataclass(frozen=True, slots=True)
class Meta:
    """A transaction's effects, accounts in the chain's order. `error` is Agave's JSON form, None on success."""

    error: Json
    fee_lamports: int
    pre_balances: list[int]
    post_balances: list[int]
    pre_token_balances: list[TokenBalanceRow]
    post_token_balances: list[TokenBalanceRow]
    inner_instructions: list[tuple[int, list[InnerRow]]]
    logs: list[str]
    loaded_writable: list[str]
    loaded_readonly: list[str]
    compute_units: int
    cost_units: int
    return_data: tuple[str, str] | None
    memo: str | None

    def encode(self) -> bytes:
        return orjson.dumps(
            [
                self.error,
                self.fee_lamports,
                self.pre_balances,
                self.post_balances,
                self.pre_token_balances,
                self.post_token_balances,
                self.inner_instructions,
                self.logs,
                self.loaded_writable,
                self.loaded_readonly,
                self.compute_units,
                self.cost_units,
                self.return_data,
                self.memo,
            ],
            default=tuple,
        )

    @staticmethod
    def decode(payload: bytes) -> "Meta":
        fields = orjson.loads(payload)
        fields[4] = [TokenBalanceRow(*row) for row in fields[4]]
        fields[5] = [TokenBalanceRow(*row) for row in fields[5]]
        fields[6] = [(index, [InnerRow(*row) for row in rows]) for index, rows in fields[6]]
        return Meta(*fields)


@dataclass(frozen=True, slots=True)
class StoredTransaction:
    """A landed transaction: its bytes, where it stands on the chain, and its effects."""

    raw: bytes
    slot: int
    index: int
    meta: Meta

    def encode(self) -> bytes:
        return _TRANSACTION.pack(self.slot, self.index, len(self.raw)) + self.raw + self.meta.encode()

    @staticmethod
    def raw_of(payload: bytes) -> bytes:
        """Only the transaction's bytes, without reading the effects."""
        length = _TRANSACTION.unpack_from(payload)[2]
        return payload[_TRANSACTION.size : _TRANSACTION.size + length]

    @staticmethod
    def decode(payload: bytes) -> "StoredTransaction":
        slot, index, length = _TRANSACTION.unpack_from(payload)
        start = _TRANSACTION.size
        return StoredTransaction(payload[start : start + length], slot, index, Meta.decode(payload[start + length :]))
